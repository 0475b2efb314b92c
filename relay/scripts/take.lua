-- Take: lease the due retries of one endpoint in place, by pushing their due time ahead, and return
-- their payloads.
-- KEYS the ten, rz dz | ARGV owner endpoint count lease_ms bytes_max probe(0|1) stored_before|-
-- stored_before: of the `count` that are due first, only those that were stored before that (ms).
-- Returns {now, {member, token, attempts, fields or false}*}.
local endpoint, count, lease = ARGV[2], whole(ARGV[3], 200), whole(ARGV[4], MS_MAX)
local bytes_max = whole(ARGV[5], 2 ^ 31)
if not has_endpoint_keys(1) or not is_endpoint(endpoint) or not count or count < 1 or not lease or
   lease < 1 or not bytes_max or (ARGV[6] ~= '0' and ARGV[6] ~= '1') then
  return bad('take')
end
local stored_before = ARGV[7] == '-' and math.huge or whole(ARGV[7], SCORE_MAX)
if not stored_before then return bad('stored_before') end

local held = call('SISMEMBER', HOLD, endpoint)
local indexed = call('ZSCORE', DUE, endpoint)
if held == 1 and ARGV[6] ~= '1' then
  -- Left by half a hold; it would have us called again and again.
  if indexed then call('ZREM', DUE, endpoint) end
  return {now}
end

local due = call('ZRANGEBYSCORE', retries_key(1), '-inf', score(now, 63), 'WITHSCORES',
                 'LIMIT', 0, count)
local taken, leases, bytes = {now}, {}, 0
for i = 1, #due, 2 do
  local member, attempts = due[i], tonumber(due[i + 1]) % 64
  if tonumber(string.match(member, '%d+')) < stored_before then
    local fields = payload_of(member)
    if fields then
      for f = 1, #fields do bytes = bytes + #fields[f] end
    end
    if bytes > bytes_max and #leases > 0 then break end
    local token = score(now + lease, attempts)
    append(leases, token, member)
    append(taken, {member, token, attempts, fields or false})
  end
end
if #leases > 0 then call('ZADD', retries_key(1), 'XX', unpack(leases)) end
if held == 0 then
  local first = call('ZRANGE', retries_key(1), 0, 0, 'WITHSCORES')
  if first[2] then
    call('ZADD', DUE, digits(due_of(first[2])), endpoint)
  else
    call('ZREM', DUE, endpoint)
  end
end
return taken

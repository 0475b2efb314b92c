-- Purge: throw away deliveries of one endpoint, counted as dropped.
-- KEYS the ten, rz dz
-- ARGV owner endpoint tenant|- both|dead|waiting count   or   owner endpoint tenant|- members member*
-- tenant: `-` when the catalog knows it no more; then the events say it.
-- Returns {now, {members thrown away}, 1 when there may be more}.
local endpoint, tenant, mode = ARGV[2], ARGV[3], ARGV[4]
if not has_endpoint_keys(1) or not is_endpoint(endpoint) or not is_tenant(tenant) then
  return bad('purge')
end

-- Which: `retries` and `dead` are what leaves either set, `dropped` the deliveries that end.
local retries, dead, dropped = {}, {}, {}
if mode == 'both' or mode == 'dead' or mode == 'waiting' then
  local count = whole(ARGV[5], 200)
  if not count or count < 1 then return bad('count') end
  if mode ~= 'dead' then
    retries = call('ZRANGE', retries_key(1), 0, count - 1)
    for i = 1, #retries do
      append(dropped, retries[i])
      if call('ZSCORE', dead_key(1), retries[i]) then append(dead, retries[i]) end
    end
  end
  -- Only once no retries are left, so that nothing stands in both lists twice.
  if #retries == 0 and mode ~= 'waiting' then
    dead = call('ZRANGE', dead_key(1), 0, count - 1)
    for i = 1, #dead do
      -- Half a redrive: it is pending again, and only its shadow among the dead goes.
      if not call('ZSCORE', retries_key(1), dead[i]) then append(dropped, dead[i]) end
    end
  end
elseif mode == 'members' then
  if #ARGV < 5 or #ARGV > 204 then return bad('members') end
  local seen = {}
  for i = 5, #ARGV do
    if not is_member(ARGV[i]) or seen[ARGV[i]] then return bad('member') end
    seen[ARGV[i]] = true
  end
  for i = 5, #ARGV do
    if call('ZSCORE', dead_key(1), ARGV[i]) then
      append(dead, ARGV[i])
      if not call('ZSCORE', retries_key(1), ARGV[i]) then append(dropped, ARGV[i]) end
    end
  end
else
  return bad('mode')
end
if #retries == 0 and #dead == 0 then return {now, {}, 0} end

-- Read.
local COUNTER_FIELDS = {'dead', 'dropped'}
local counters = read_numbers(COUNTERS, COUNTER_FIELDS)
call('ZSCORE', DUE, endpoint)
call('HEXISTS', HISTORY, '')
call('SISMEMBER', OWING, '')
for i = 1, tenant == '-' and #dropped or 0 do
  local fields = payload_of(dropped[i]) or {}
  for f = 1, #fields, 2 do
    if fields[f] == 'ten' and is_tenant(fields[f + 1]) then tenant = fields[f + 1] end
  end
  if tenant ~= '-' then break end
end
local ref = #dropped > 0 and call('HMGET', REF, unpack(dropped)) or {}
local released, ref_writes, ref_deletes, history_deletes = {}, {}, {}, {}
for i = 1, #dropped do
  local member, left = dropped[i], (tonumber(ref[i]) or 0) - 1
  append(history_deletes, member .. '/' .. endpoint)
  local bytes = 0
  if left > 0 then
    append(ref_writes, member, left)
  else
    append(ref_deletes, member)
    local fields = payload_of(member) or {}
    for f = 1, #fields, 2 do
      if fields[f] == 'body' then bytes = #fields[f + 1] end
    end
    -- Still pending: a chunked settle is under way, and its last chunk deletes.
    if left == 0 and not is_pending(member) then append(released, member) end
  end
  charge(tenant, -1, -bytes)
end
local charged = read_numbers(TENANTS, charge_fields)

-- Releases.
if #retries > 0 then call('ZREM', retries_key(1), unpack(retries)) end
local dead_gone = #dead > 0 and call('ZREM', dead_key(1), unpack(dead)) or 0
delete_payloads(released)
if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end
if #ref_deletes > 0 then call('HDEL', REF, unpack(ref_deletes)) end
if #history_deletes > 0 then call('HDEL', HISTORY, unpack(history_deletes)) end
if call('ZCARD', retries_key(1)) == 0 then call('ZREM', DUE, endpoint) end
forget_settled_endpoints({endpoint})

write_numbers(TENANTS, charge_fields, charged, charges)
write_numbers(COUNTERS, COUNTER_FIELDS, counters, {dead = -dead_gone, dropped = #dropped})
return {now, dropped, mode == 'members' and 0 or 1}

-- Hold an endpoint's retries (they rest, and do not stand in the index) or release them.
-- KEYS the ten, rz dz | ARGV owner endpoint hold|release      returns {now, 1 when it changed}
local endpoint = ARGV[2]
if not has_endpoint_keys(1) or not is_endpoint(endpoint) then return bad('hold') end
call('SISMEMBER', HOLD, endpoint)
call('ZSCORE', DUE, endpoint)
if ARGV[3] == 'hold' then
  local changed = call('SADD', HOLD, endpoint)
  call('ZREM', DUE, endpoint)
  return {now, changed}
elseif ARGV[3] == 'release' then
  local first = call('ZRANGE', retries_key(1), 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', DUE, 'LT', digits(due_of(first[2])), endpoint) end
  return {now, call('SREM', HOLD, endpoint)}
end
return bad('hold')

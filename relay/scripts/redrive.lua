-- Redrive: dead letters become retries again, due now, no attempt counted. Their history stays.
-- KEYS the ten, rz dz
-- ARGV owner endpoint range from_ms to_ms count   or   owner endpoint members member*
-- Returns {now, how many}.
local endpoint, mode, chosen = ARGV[2], ARGV[3], {}
if not has_endpoint_keys(1) or not is_endpoint(endpoint) then return bad('redrive') end
if mode == 'range' then
  local from, to, count = whole(ARGV[4], SCORE_MAX), whole(ARGV[5], SCORE_MAX), whole(ARGV[6], 1000)
  if not from or not to or not count or count < 1 then return bad('range') end
  chosen = call('ZRANGEBYSCORE', dead_key(1), digits(from), digits(to), 'LIMIT', 0, count)
elseif mode == 'members' then
  if #ARGV < 4 or #ARGV > 1003 then return bad('members') end
  for i = 4, #ARGV do
    if not is_member(ARGV[i]) then return bad('member') end
  end
  for i = 4, #ARGV do
    if call('ZSCORE', dead_key(1), ARGV[i]) then append(chosen, ARGV[i]) end
  end
else
  return bad('mode')
end
if #chosen == 0 then return {now, 0} end

local held = call('SISMEMBER', HOLD, endpoint)
local counters = read_numbers(COUNTERS, {'dead'})
call('ZSCORE', DUE, endpoint)
call('ZCARD', retries_key(1))

-- Obligations. NX: one that stands in `rz` already (half a redrive) keeps its lease.
local adds = {}
for i = 1, #chosen do append(adds, score(now, 0), chosen[i]) end
if held == 0 then call('ZADD', DUE, 'LT', digits(now), endpoint) end
call('ZADD', retries_key(1), 'NX', unpack(adds))

-- Releases. The endpoint goes on owing, and `ref` counts a delivery in either set.
local moved = call('ZREM', dead_key(1), unpack(chosen))
write_numbers(COUNTERS, {'dead'}, counters, {dead = -moved})
return {now, moved}

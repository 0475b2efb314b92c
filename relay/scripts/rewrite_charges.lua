-- Write what tenants are charged anew, unless a counter has moved since the totals were begun.
-- KEYS the ten | ARGV owner settled fan ok dead dropped repeats n {tenant deliveries bytes}*n
-- Returns {now, 1} or, when something moved, {now, 0}.
local tenant_count = whole(ARGV[8], 50000)
if not tenant_count or #ARGV ~= 8 + 3 * tenant_count then return bad('charges') end
local writes = {}
for i = 9, #ARGV, 3 do
  if not is_tenant(ARGV[i]) or not whole(ARGV[i + 1], SCORE_MAX) or
     not whole(ARGV[i + 2], SCORE_MAX) then
    return bad('charge')
  end
  append(writes, ARGV[i] .. '/d', ARGV[i + 1], ARGV[i] .. '/b', ARGV[i + 2])
end
local counters = call('HMGET', COUNTERS, 'settled', 'fan', 'ok', 'dead', 'dropped', 'repeats')
for i = 1, 6 do
  if (counters[i] or '0') ~= ARGV[1 + i] then return {now, 0} end
end
call('HLEN', TENANTS)
call('DEL', TENANTS)
in_slices(writes, 1000, function(list, a, b) call('HSET', TENANTS, unpack(list, a, b)) end)
return {now, 1}

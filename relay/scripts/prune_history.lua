-- Delete the history of deliveries that are neither pending nor dead, a page at a time.
-- KEYS the ten, then rz dz of each endpoint | ARGV owner E ep1..epE cursor count
-- Returns {now, next cursor ('0': done), deleted}.
local endpoints = read_endpoints(3)
if not endpoints then return bad('endpoints') end
if #endpoints.missing > 0 then return redis.error_reply('MORE endpoints owe') end
local cursor, count = ARGV[3 + endpoints.count], whole(ARGV[4 + endpoints.count], 200)
if not cursor or not string.find(cursor, '^%d+$') or not count or count < 1 then
  return bad('history')
end
local page = call('HSCAN', HISTORY, cursor, 'COUNT', count)
local stale = {}
-- A small hash comes whole, whatever the count; the rest of such a page waits for the next sweep.
for i = 1, math.min(#page[2], 4000), 2 do
  local member, endpoint = string.match(page[2][i], '^([^/]+)/(%d+)$')
  local x = endpoint and endpoints.place[endpoint]
  if not x or
     not (call('ZSCORE', retries_key(x), member) or call('ZSCORE', dead_key(x), member)) then
    append(stale, page[2][i])
  end
end
if #stale > 0 then call('HDEL', HISTORY, unpack(stale)) end
return {now, page[1], #stale}

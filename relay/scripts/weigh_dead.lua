-- Weigh dead letters of one endpoint: what their bodies hold of Redis's memory. Reads only, and
-- needs no owner's token.
-- KEYS the ten, rz dz | ARGV rank count bytes_max
-- Looks at `count` of them from `rank` on, the oldest first, and at no more once `bytes_max` of
-- bodies have been read. An event is shared by all that are owed it, waiting or dead: of an event
-- with r deliveries left each dead letter holds an r-th. So an event that is dead everywhere counts
-- once, and all sums together are never above what the tenants are charged.
-- Returns {now, letters looked at, bytes that they hold}; no letters: there are none from there on.
local rank, count, bytes_max = whole(ARGV[1], 9e15), whole(ARGV[2], 200), whole(ARGV[3], 9e15)
if not has_endpoint_keys(1) or not rank or not count or count < 1 or not bytes_max then
  return bad('weigh')
end
local letters, read, held = 0, 0, 0
for _, member in ipairs(call('ZRANGE', dead_key(1), rank, rank + count - 1)) do
  local fields = payload_of(member) or {}
  for f = 1, #fields, 2 do
    if fields[f] == 'body' then
      local bytes = #fields[f + 1]
      read = read + bytes
      held = held + math.floor(bytes / math.max(tonumber(call('HGET', REF, member)) or 1, 1))
    end
  end
  letters = letters + 1
  if read >= bytes_max then break end
end
return {now, letters, held}

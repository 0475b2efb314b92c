-- Make `ref` of the given members the number of their deliveries.
-- KEYS the ten, then rz dz of each endpoint | ARGV owner E ep1..epE member*
-- Returns {now, mended, {members put back on the pending list}, {members without payload}}.
local endpoints = read_endpoints(3)
if not endpoints then return bad('endpoints') end
if #endpoints.missing > 0 then return redis.error_reply('MORE endpoints owe') end
local members, first = {}, 3 + endpoints.count
for i = first, #ARGV do
  if not is_member(ARGV[i]) then return bad('member') end
  append(members, ARGV[i])
end
if #members < 1 or #members > 200 or (#members > 1 and #members * endpoints.count > 20000) then
  return bad('members')
end

local ref, counted, both = call('HMGET', REF, unpack(members)), {}, {}
for i = 1, #members do counted[i] = 0 end
for x = 1, endpoints.count do
  local retry_scores = call('ZMSCORE', retries_key(x), unpack(members))
  local dead_scores = call('ZMSCORE', dead_key(x), unpack(members))
  for i = 1, #members do
    if retry_scores[i] or dead_scores[i] then counted[i] = counted[i] + 1 end
    if retry_scores[i] and dead_scores[i] then append(list_at(both, x), members[i]) end
  end
end

local mended, ref_writes, ref_deletes, requeued, without_payload = 0, {}, {}, {}, {}
for i = 1, #members do
  local member = members[i]
  local has_payload = payload_of(member)
  if counted[i] ~= (tonumber(ref[i]) or 0) then
    mended = mended + 1
    if counted[i] > 0 then
      append(ref_writes, member, counted[i])
    else
      append(ref_deletes, member)
      -- Owed to nobody by the books: read it once more rather than lose it.
      if has_payload and not is_pending(member) then append(requeued, member) end
    end
  end
  if counted[i] > 0 and not has_payload then append(without_payload, member) end
end

for i = 1, #requeued do
  call('XCLAIM', stream_of(requeued[i]), 'w', 'w', '0', id_of(requeued[i]), 'FORCE', 'JUSTID')
end
-- Both pending and dead is half a redrive: pending wins.
for x, shadows in pairs(both) do call('ZREM', dead_key(x), unpack(shadows)) end
if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end
if #ref_deletes > 0 then call('HDEL', REF, unpack(ref_deletes)) end
return {now, mended, requeued, without_payload}

#!lua flags=allow-oom
-- Done: settle for entries that owe nothing, the common case, at a quarter of settle's cost; it
-- therefore does without the common head.
-- KEYS own ev:n ev:b ref ct | ARGV owner {member L|R accepted}*n      returns {won of each entry}
local call = redis.call
local own = call('GET', KEYS[1])
if not own or string.sub(own, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then
  return redis.error_reply('STALE another owner: ' .. (own or 'none'))
end
local entry_count = (#ARGV - 1) / 3
if entry_count < 1 or entry_count > 200 or entry_count % 1 ~= 0 or #KEYS ~= 5 then
  return redis.error_reply('BADARG entry count')
end
local members, seen = {}, {}
for j = 1, entry_count do
  local member, kind, accepted = ARGV[3 * j - 1], ARGV[3 * j], ARGV[3 * j + 1]
  local ms, seq = string.match(member, '^[nb](%d+)%-(%d+)$')
  if not ms or #ms > 19 or #seq > 19 or seen[member] or (kind ~= 'L' and kind ~= 'R') or
     #accepted > 7 or not string.find(accepted, '^%d+$') then
    return redis.error_reply('BADARG entry')
  end
  seen[member] = true
  members[j] = member
end

local ref = call('HMGET', KEYS[4], unpack(members))
local counters = call('HMGET', KEYS[5], 'settled', 'fan', 'ok', 'repeats')

local settled, ok, repeats, won, normal, bulk = 0, 0, 0, {}, {}, {}
for j = 1, entry_count do
  local member = members[j]
  local id, is_normal = string.sub(member, 2), string.byte(member) == 110  -- 'n'
  local first = call('XACK', is_normal and KEYS[2] or KEYS[3], 'w', id)
  won[j] = first
  if first == 1 then
    settled = settled + 1
    ok = ok + tonumber(ARGV[3 * j + 1])
    if ARGV[3 * j] == 'R' then repeats = repeats + 1 end
    -- Deliveries of an earlier chunk or of a half-done settle still need the payload.
    if not ref[j] then
      local ids = is_normal and normal or bulk
      ids[#ids + 1] = id
    end
  end
end
if #normal > 0 then call('XDEL', KEYS[2], unpack(normal)) end
if #bulk > 0 then call('XDEL', KEYS[3], unpack(bulk)) end
if settled > 0 then
  local function sum(i, more) return string.format('%.0f', (tonumber(counters[i]) or 0) + more) end
  call('HSET', KEYS[5], 'settled', sum(1, settled), 'fan', sum(2, ok), 'ok', sum(3, ok),
       'repeats', sum(4, repeats))
end
return won

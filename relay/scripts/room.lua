#!lua flags=allow-oom
-- Registers rooms for stream codes, takes registrations back, or forgets what has expired. By
-- whoever asks: the owner of the partition sees the version grow and reads them anew. allow-oom,
-- because taking back and forgetting must work when memory is full, and the rest is bounded.
-- KEYS rm rx rv | ARGV set|drop|trim rooms_max {key ttl_ms value}* of set, {key}* of drop
-- Returns {rooms there are now, rooms changed}; error FULL when there is no place for all of them.
-- What has expired is forgotten first by each call, at most 1,000 of it.
local call = redis.call
local ROOMS, EXPIRY, VERSION = KEYS[1], KEYS[2], KEYS[3]
local op, rooms_max = ARGV[1], tonumber(ARGV[2])
local function bad(what) return redis.error_reply('BADARG ' .. what) end
local step = op == 'set' and 3 or 1
if #KEYS ~= 3 or not rooms_max or (op ~= 'set' and op ~= 'drop' and op ~= 'trim') or
   (#ARGV - 2) % step ~= 0 or #ARGV > 602 or (op == 'trim' and #ARGV > 2) then
  return bad('room')
end
if op == 'set' then
  for i = 3, #ARGV, 3 do
    local ttl = string.find(ARGV[i + 1], '^%d+$') and tonumber(ARGV[i + 1])
    if #ARGV[i] == 0 or not ttl or ttl < 1 or ttl > 4e9 or #ARGV[i + 2] == 0 then return bad('room') end
  end
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function digits(number) return string.format('%.0f', number) end

local there, more = call('HLEN', ROOMS), 0
local gone = call('ZRANGEBYSCORE', EXPIRY, '-inf', digits(now), 'LIMIT', 0, 1000)
if op == 'set' then
  local is_gone, counted = {}, {}
  for i = 1, #gone do is_gone[gone[i]] = true end
  for i = 3, #ARGV, 3 do
    local key = ARGV[i]
    if not counted[key] and (is_gone[key] or call('HEXISTS', ROOMS, key) == 0) then more = more + 1 end
    counted[key] = true
  end
  if there - #gone + more > rooms_max then
    return redis.error_reply('FULL of ' .. digits(rooms_max) .. ' rooms ' ..
                             digits(there - #gone) .. ' are taken')
  end
end

-- The index first: what does not stand in it would never expire.
local changed = 0
if #gone > 0 then
  call('HDEL', ROOMS, unpack(gone))
  call('ZREM', EXPIRY, unpack(gone))
end
if op == 'set' then
  for i = 3, #ARGV, 3 do
    local till = digits(now + tonumber(ARGV[i + 1]))
    call('ZADD', EXPIRY, till, ARGV[i])
    call('HSET', ROOMS, ARGV[i], till .. ' ' .. ARGV[i + 2])
    changed = changed + 1
  end
elseif op == 'drop' then
  for i = 3, #ARGV do
    changed = changed + call('HDEL', ROOMS, ARGV[i])
    call('ZREM', EXPIRY, ARGV[i])
  end
end
if changed + #gone > 0 then call('INCR', VERSION) end
return {call('HLEN', ROOMS), changed}

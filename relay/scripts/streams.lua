-- Writes what an owner has learned of live streams, and forgets those that nothing was heard of for
-- long, and the ones heard of longest ago where there are too many. Beside the books: neither
-- counters nor `ref` are touched, and losing all of it loses no event.
-- KEYS the ten, then st sm sx
-- ARGV owner streams_max age_max_ms {s|r|c stream heard_ms value}*
--   s: the state; r, c: a recording, a screenshot, as "<ms> <url>": an earlier one changes nothing
-- Returns the streams forgotten, at most 200 a call.
local STATES, MEDIA, AGE = KEYS[11], KEYS[12], KEYS[13]
local FORGET_MAX = 200
local streams_max, age_max = whole(ARGV[2], 1e6), whole(ARGV[3], MS_MAX)
if #KEYS ~= 13 or not streams_max or not age_max or (#ARGV - 3) % 4 ~= 0 or #ARGV > 3 + 4 * 200 then
  return bad('streams')
end
local KINDS = {s = true, r = true, c = true}
for i = 4, #ARGV, 4 do
  if not KINDS[ARGV[i]] or ARGV[i + 1] == '' or not tonumber(ARGV[i + 2]) or ARGV[i + 3] == '' then
    return bad('stream')
  end
end
call('HLEN', STATES)  -- Each key is of its type, or nothing is written.
call('HLEN', MEDIA)
local function ms_of(text) return tonumber(string.match(text or '', '^%d+')) or -1 end

local ages, states, media, newest = {}, {}, {}, {}
for i = 4, #ARGV, 4 do
  local kind, stream, value = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  ages[#ages + 1] = ARGV[i + 2]
  ages[#ages + 1] = stream
  if kind == 's' then
    states[#states + 1] = stream
    states[#states + 1] = value
  else
    local field, ms = kind .. stream, ms_of(value)
    if ms >= (newest[field] or ms_of(call('HGET', MEDIA, field))) then
      newest[field] = ms
      media[#media + 1] = field
      media[#media + 1] = value
    end
  end
end
-- The index first: what does not stand in it would never be forgotten.
if #ages > 0 then call('ZADD', AGE, 'GT', unpack(ages)) end
if #states > 0 then call('HSET', STATES, unpack(states)) end
if #media > 0 then call('HSET', MEDIA, unpack(media)) end

local gone = call('ZRANGEBYSCORE', AGE, '-inf', '(' .. digits(now - age_max), 'LIMIT', 0, FORGET_MAX)
if #gone == 0 then
  local over = math.min(call('ZCARD', AGE) - streams_max, FORGET_MAX)
  if over > 0 then gone = call('ZRANGE', AGE, 0, over - 1) end
end
if #gone > 0 then
  local fields = {}
  for i = 1, #gone do append(fields, 'r' .. gone[i], 'c' .. gone[i]) end
  call('HDEL', STATES, unpack(gone))
  call('HDEL', MEDIA, unpack(fields))
  call('ZREM', AGE, unpack(gone))
end
return gone

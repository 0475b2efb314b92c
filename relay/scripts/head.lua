#!lua flags=allow-oom
-- The head of every transition. allow-oom, because what releases memory must work when memory is
-- full; the broker's plain XADD is what a full Redis refuses.
--
-- The rule that every script after this head keeps:
--   1. validate all arguments, and read from each key once by a command of its type, so that
--      nothing can fail after the first write but Redis itself;
--   2. write obligations: `eps` and the index (one too many is harmless, one missing is a delivery
--      that nobody finds), then `ref`, then history, then members of `rz` and `dz`;
--   3. release: members, then payloads, then `ref`, then history and `eps`;
--   4. counters last, all of a hash in one HSET.
-- So `ref` is never below the number of members, and a payload never goes before its last member.
-- A script that fails half way leaves a payload kept too long, never one deleted too early.
local call = redis.call

-- Keys: ten of the partition, then a pair `rz`, `dz` for each endpoint of the call.
local OWN, NORMAL, BULK, REF, DUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local HOLD, COUNTERS, HISTORY, TENANTS, OWING = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local function retries_key(x) return KEYS[9 + 2 * x] end
local function dead_key(x) return KEYS[10 + 2 * x] end
local function has_endpoint_keys(count) return #KEYS == 10 + 2 * count end

local function bad(what) return redis.error_reply('BADARG ' .. what) end

-- A whole number from 0 to `max`, or nil. Only digits: tonumber alone would take '0x10' or ' 7'.
local function whole(text, max)
  if not text or not string.find(text, '^%d+$') then return nil end
  local value = tonumber(text)
  if value <= max then return value end
end
local MS_MAX, SCORE_MAX = 4e9, 9e15

local function is_endpoint(text) return text and #text <= 20 and string.find(text, '^%d+$') end
local function is_tenant(text) return text and #text >= 1 and #text <= 64 end
local function is_record(text) return text and (#text == 0 or #text == 6) end
local function is_member(text)
  local ms, seq = string.match(text or '', '^[nb](%d+)%-(%d+)$')
  return ms and #ms <= 19 and #seq <= 19
end
local function stream_of(member) return string.byte(member) == 110 and NORMAL or BULK end  -- 'n'
local function id_of(member) return string.sub(member, 2) end

-- Numbers leave as digits: Lua would write 1.7e+14 for a score.
local function digits(number) return string.format('%.0f', number) end
local function score(due, attempts) return digits(due * 64 + attempts) end
local function due_of(text) return math.floor(tonumber(text) / 64) end

-- Lists are appended to and unpacked; every list that is unpacked is bounded by the arguments' own
-- bounds, below the 8,000 that Lua's stack holds.
local function append(list, ...)
  for i = 1, select('#', ...) do list[#list + 1] = (select(i, ...)) end
end
local function list_at(lists, x)
  local list = lists[x]
  if not list then list = {} lists[x] = list end
  return list
end

local function is_pending(member)
  local id = id_of(member)
  return call('XPENDING', stream_of(member), 'w', id, id, 1)[1] ~= nil
end
local function payload_of(member)
  local id = id_of(member)
  local entry = call('XRANGE', stream_of(member), id, id)[1]
  return entry and entry[2]
end
local function delete_payloads(members)
  local normal, bulk = {}, {}
  for i = 1, #members do
    append(stream_of(members[i]) == NORMAL and normal or bulk, id_of(members[i]))
  end
  if #normal > 0 then call('XDEL', NORMAL, unpack(normal)) end
  if #bulk > 0 then call('XDEL', BULK, unpack(bulk)) end
end

-- Counters of a hash: read them before the first write, add, and write those that changed at once.
local function read_numbers(key, fields)
  local numbers = {}
  if #fields == 0 then return numbers end
  local texts = call('HMGET', key, unpack(fields))
  for i = 1, #fields do numbers[fields[i]] = tonumber(texts[i]) or 0 end
  return numbers
end
local function write_numbers(key, fields, before, change)
  local writes = {}
  for i = 1, #fields do
    local field = fields[i]
    if (change[field] or 0) ~= 0 then append(writes, field, digits(before[field] + change[field])) end
  end
  if #writes > 0 then call('HSET', key, unpack(writes)) end
end

-- What tenants are charged: deliveries and bytes of what stands in `ref`.
local charge_fields, charges = {}, {}
local function charge(tenant, deliveries, bytes)
  local d, b = tenant .. '/d', tenant .. '/b'
  if not charges[d] then
    charges[d] = 0
    charges[b] = 0
    append(charge_fields, d, b)
  end
  charges[d] = charges[d] + deliveries
  charges[b] = charges[b] + bytes
end

-- An endpoint that has neither retries nor dead letters any more does not owe. For those whose
-- members this call has removed: `touched` maps the endpoint's place to its number.
local function forget_settled_endpoints(touched)
  local settled = {}
  for x, endpoint in pairs(touched) do
    if call('EXISTS', retries_key(x), dead_key(x)) == 0 then append(settled, endpoint) end
  end
  if #settled > 0 then call('SREM', OWING, unpack(settled)) end
end

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)


-- Resolve: what became of leased deliveries.
-- KEYS the ten, then rz dz of each endpoint
-- ARGV owner E ep1..epE n {member x token ok|fail|park|dead|drop delay record tenant bytes}*n
-- Returns {now, {won of each item}}.
local endpoint_count = whole(ARGV[2], 200)
if not endpoint_count or endpoint_count < 1 or not has_endpoint_keys(endpoint_count) then
  return bad('endpoints')
end
for x = 1, endpoint_count do
  if not is_endpoint(ARGV[2 + x]) then return bad('endpoint') end
end
local function endpoint(x) return ARGV[2 + x] end
local at = 3 + endpoint_count
local item_count = whole(ARGV[at], 200)
if not item_count or item_count < 1 or #ARGV ~= at + 8 * item_count then return bad('items') end

local KINDS = {ok = true, fail = true, park = true, dead = true, drop = true}
local items, seen, members, place = {}, {}, {}, {}
for j = 1, item_count do
  local a = at + 8 * (j - 1)
  local item = {
    member = ARGV[a + 1], x = whole(ARGV[a + 2], endpoint_count), token = whole(ARGV[a + 3], SCORE_MAX),
    kind = ARGV[a + 4], delay = whole(ARGV[a + 5], MS_MAX), record = ARGV[a + 6],
    tenant = ARGV[a + 7], bytes = whole(ARGV[a + 8], MS_MAX),
  }
  if not is_member(item.member) or not item.x or item.x < 1 or not item.token or
     not KINDS[item.kind] or not item.delay or not is_record(item.record) or
     not is_tenant(item.tenant) or not item.bytes then
    return bad('item')
  end
  item.name = item.member .. '/' .. endpoint(item.x)
  if seen[item.name] then return bad('item twice') end
  seen[item.name] = true
  items[j] = item
  if not place[item.member] then
    append(members, item.member)
    place[item.member] = #members
  end
end

-- Read.
local COUNTER_FIELDS = {'ok', 'dead', 'dropped'}
local ref = call('HMGET', REF, unpack(members))
for i = 1, #members do ref[i] = tonumber(ref[i]) or 0 end
local counters = read_numbers(COUNTERS, COUNTER_FIELDS)
local held = call('SMISMEMBER', HOLD, unpack(ARGV, 3, 2 + endpoint_count))
call('ZSCORE', DUE, '')
call('SISMEMBER', OWING, '')
call('HEXISTS', HISTORY, '')

local change = {ok = 0, dead = 0, dropped = 0}
local due_at, history_writes, history_deletes = {}, {}, {}
local retry_moves, retry_removes, dead_adds, dead_removes = {}, {}, {}, {}
local lowered, finished, touched = {}, {}, {}

-- A delivery that ends: it is not counted in `ref` any more.
local function finish(item)
  local i = place[item.member]
  ref[i] = ref[i] - 1
  lowered[item.member] = i
  append(history_deletes, item.name)
  local bytes = 0
  if ref[i] <= 0 and not finished[item.member] then
    finished[item.member] = true
    bytes = -item.bytes
  end
  charge(item.tenant, -1, bytes)
end
local function again(item, attempts)
  local due = now + item.delay
  append(list_at(retry_moves, item.x), score(due, attempts), item.member)
  if held[item.x] == 0 and (not due_at[item.x] or due_at[item.x] > due) then due_at[item.x] = due end
end

local won = {}
for j = 1, item_count do
  local item = items[j]
  local x, member, kind = item.x, item.member, item.kind
  local current = tonumber((call('ZSCORE', retries_key(x), member)))
  local is_dead = call('ZSCORE', dead_key(x), member)
  -- A success always counts. Anything else from a lease that is no longer ours is fenced.
  if not current or (kind ~= 'ok' and current ~= item.token) then
    won[j] = 0
  else
    won[j] = 1
    if item.record ~= '' and (kind == 'fail' or kind == 'park' or kind == 'dead') then
      local history = call('HGET', HISTORY, item.name) or ''
      history = history .. struct.pack('>I6', now) .. item.record
      append(history_writes, item.name, string.sub(history, -16 * 12))
    end
    if kind == 'fail' then
      again(item, math.min(current % 64 + 1, 63))
    elseif kind == 'park' then
      again(item, current % 64)
    else
      append(list_at(retry_removes, x), member)
      if kind == 'dead' then
        append(list_at(dead_adds, x), digits(now), member)
        if not is_dead then change.dead = change.dead + 1 end
      else
        touched[x] = endpoint(x)
        if is_dead then  -- Half a redrive: it is one delivery, and it ends in both places.
          append(list_at(dead_removes, x), member)
          change.dead = change.dead - 1
        end
        local counter = kind == 'ok' and 'ok' or 'dropped'
        change[counter] = change[counter] + 1
        finish(item)
      end
    end
  end
end
local charged = read_numbers(TENANTS, charge_fields)

-- A finished event's payload goes, unless its entry is pending: then a chunked settle is under way,
-- and its last chunk deletes. A number below zero is a broken book, and then nothing is deleted.
local released, ref_writes, ref_deletes = {}, {}, {}
for member, i in pairs(lowered) do
  if finished[member] then
    append(ref_deletes, member)
    if ref[i] == 0 and not is_pending(member) then append(released, member) end
  else
    append(ref_writes, member, ref[i])
  end
end

-- Obligations.
local due_writes = {}
for x, due in pairs(due_at) do append(due_writes, digits(due), endpoint(x)) end
if #due_writes > 0 then call('ZADD', DUE, 'LT', unpack(due_writes)) end
if #history_writes > 0 then call('HSET', HISTORY, unpack(history_writes)) end
for x, moves in pairs(retry_moves) do call('ZADD', retries_key(x), 'XX', unpack(moves)) end
for x, adds in pairs(dead_adds) do call('ZADD', dead_key(x), unpack(adds)) end

-- Releases.
for x, gone in pairs(retry_removes) do call('ZREM', retries_key(x), unpack(gone)) end
for x, gone in pairs(dead_removes) do call('ZREM', dead_key(x), unpack(gone)) end
delete_payloads(released)
if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end
if #ref_deletes > 0 then call('HDEL', REF, unpack(ref_deletes)) end
if #history_deletes > 0 then call('HDEL', HISTORY, unpack(history_deletes)) end
forget_settled_endpoints(touched)

write_numbers(TENANTS, charge_fields, charged, charges)
write_numbers(COUNTERS, COUNTER_FIELDS, counters, change)
return {now, won}

-- Settle: entries leave the pending entries list once everything that is still owed is written.
-- KEYS the ten, then rz dz of each endpoint
-- ARGV owner E ep1..epE n {member kind tenant bytes accepted k {state x delay attempts record}*k}*n
--   kind:  L last: acknowledge · C chunk: more calls follow, do not acknowledge · R repeat
--   state: p pending · d dead;  x: place of the endpoint in the list
-- Returns {now, {won of each entry}}.
local endpoint_count = whole(ARGV[2], 1000)
if not endpoint_count or not has_endpoint_keys(endpoint_count) then return bad('endpoints') end
for x = 1, endpoint_count do
  if not is_endpoint(ARGV[2 + x]) then return bad('endpoint') end
end
local function endpoint(x) return ARGV[2 + x] end
local at = 3 + endpoint_count
local entry_count = whole(ARGV[at], 200)
if not entry_count or entry_count < 1 then return bad('entry count') end
at = at + 1

local entries, members, seen, owed_total = {}, {}, {}, 0
for j = 1, entry_count do
  local entry = {
    member = ARGV[at], kind = ARGV[at + 1], tenant = ARGV[at + 2],
    bytes = whole(ARGV[at + 3], MS_MAX), accepted = whole(ARGV[at + 4], 1e6), owed = {},
  }
  local owed_count = whole(ARGV[at + 5], 1000)
  if not is_member(entry.member) or seen[entry.member] or not is_tenant(entry.tenant) or
     not (entry.kind == 'L' or entry.kind == 'C' or entry.kind == 'R') or
     not entry.bytes or not entry.accepted or not owed_count then
    return bad('entry')
  end
  seen[entry.member] = true
  owed_total = owed_total + owed_count
  if owed_total > 1000 then return bad('too many deliveries') end
  at = at + 6
  local endpoints_seen = {}
  for i = 1, owed_count do
    local owed = {
      state = ARGV[at], x = whole(ARGV[at + 1], endpoint_count), delay = whole(ARGV[at + 2], MS_MAX),
      attempts = whole(ARGV[at + 3], 63), record = ARGV[at + 4],
    }
    if not (owed.state == 'p' or owed.state == 'd') or not owed.x or owed.x < 1 or
       endpoints_seen[owed.x] or not owed.delay or not owed.attempts or not is_record(owed.record) then
      return bad('delivery')
    end
    endpoints_seen[owed.x] = true
    entry.owed[i] = owed
    at = at + 5
  end
  entries[j] = entry
  members[j] = entry.member
end
if at ~= #ARGV + 1 then return bad('length') end

-- Read. The look-ups of '' only make a key of a wrong type fail here, before the first write.
local COUNTER_FIELDS = {'settled', 'fan', 'ok', 'dead', 'repeats'}
local ref = call('HMGET', REF, unpack(members))
local counters = read_numbers(COUNTERS, COUNTER_FIELDS)
local held = {}
if endpoint_count > 0 then
  held = call('SMISMEMBER', HOLD, unpack(ARGV, 3, 2 + endpoint_count))
  call('ZSCORE', DUE, '')
  call('HEXISTS', HISTORY, '')
  call('SISMEMBER', OWING, '')
end

-- Decide what each entry adds. An entry that stands in `ref` already comes from a call that failed
-- half way or is repeated: members that are there are passed over, missing ones are added.
local change = {settled = 0, fan = 0, ok = 0, dead = 0, repeats = 0}
local ref_writes, history_writes, retry_adds, dead_adds, due_at = {}, {}, {}, {}, {}
local function owe(entry, owed, before)
  local x, member = owed.x, entry.member
  if before > 0 and
     (call('ZSCORE', retries_key(x), member) or call('ZSCORE', dead_key(x), member)) then
    return 0
  end
  if owed.state == 'p' then
    local due = now + owed.delay
    append(list_at(retry_adds, x), score(due, owed.attempts), member)
    if held[x] == 0 and (not due_at[x] or due_at[x] > due) then due_at[x] = due end
  else
    append(list_at(dead_adds, x), digits(now), member)
    change.dead = change.dead + 1
  end
  if owed.record ~= '' then
    append(history_writes, member .. '/' .. endpoint(x), struct.pack('>I6', now) .. owed.record)
  end
  return 1
end

local won = {}
for j = 1, entry_count do
  local entry = entries[j]
  local before = tonumber(ref[j]) or 0
  entry.keeps_payload = before > 0
  if #entry.owed > 0 or entry.kind == 'C' then
    -- Only a pending entry may be owed: after its settlement the payload may be gone.
    won[j] = is_pending(entry.member) and 1 or 0
    if won[j] == 1 then
      local added = 0
      for i = 1, #entry.owed do added = added + owe(entry, entry.owed[i], before) end
      if added > 0 then
        append(ref_writes, entry.member, before + added)
        entry.keeps_payload = true
        charge(entry.tenant, added, before == 0 and entry.bytes or 0)
      end
      change.fan = change.fan + entry.accepted + added
      change.ok = change.ok + entry.accepted
    end
  end
end
for x in pairs(retry_adds) do call('ZCARD', retries_key(x)) end
for x in pairs(dead_adds) do call('ZCARD', dead_key(x)) end
local charged = read_numbers(TENANTS, charge_fields)

-- Obligations.
local owing, due_writes = {}, {}
for x = 1, endpoint_count do
  if retry_adds[x] or dead_adds[x] then append(owing, endpoint(x)) end
  if due_at[x] then append(due_writes, digits(due_at[x]), endpoint(x)) end
end
if #owing > 0 then call('SADD', OWING, unpack(owing)) end
if #due_writes > 0 then call('ZADD', DUE, 'LT', unpack(due_writes)) end
if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end
if #history_writes > 0 then call('HSET', HISTORY, unpack(history_writes)) end
for x, adds in pairs(retry_adds) do call('ZADD', retries_key(x), unpack(adds)) end
for x, adds in pairs(dead_adds) do call('ZADD', dead_key(x), unpack(adds)) end

-- Releases. For an entry that owes nothing the acknowledgement itself says who was first.
local released = {}
for j = 1, entry_count do
  local entry = entries[j]
  if entry.kind ~= 'C' and won[j] ~= 0 then
    local first = call('XACK', stream_of(entry.member), 'w', id_of(entry.member))
    if not won[j] then
      won[j] = first
      change.fan = change.fan + first * entry.accepted
      change.ok = change.ok + first * entry.accepted
    end
    change.settled = change.settled + first
    if entry.kind == 'R' then change.repeats = change.repeats + first end
    if first == 1 and not entry.keeps_payload then append(released, entry.member) end
  end
end
delete_payloads(released)

write_numbers(TENANTS, charge_fields, charged, charges)
write_numbers(COUNTERS, COUNTER_FIELDS, counters, change)
return {now, won}

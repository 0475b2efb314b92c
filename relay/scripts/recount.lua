-- Mend the index of due endpoints and `eps`, and write the counters anew, in one indivisible step.
-- KEYS the ten, then rz dz of each endpoint | ARGV owner E ep1..epE
-- Returns {now, sum of ref, members of rz, members of dz, sum of the tenants' deliveries, mended}.
local endpoints = read_endpoints(3)
if not endpoints then return bad('endpoints') end
if #endpoints.missing > 0 then return redis.error_reply('MORE endpoints owe') end

local COUNTER_FIELDS = {'settled', 'fan', 'ok', 'dead', 'dropped'}
local counters = read_numbers(COUNTERS, COUNTER_FIELDS)
local owed, retries, dead, charged = 0, 0, 0, 0
for _, number in ipairs(call('HVALS', REF)) do owed = owed + tonumber(number) end
local charge_texts = call('HGETALL', TENANTS)
for i = 1, #charge_texts, 2 do
  if string.sub(charge_texts[i], -2) == '/d' then charged = charged + tonumber(charge_texts[i + 1]) end
end

local due_writes, due_removes, owing_adds, owing_removes = {}, {}, {}, {}
for endpoint, x in pairs(endpoints.place) do
  local retry_count, dead_count = call('ZCARD', retries_key(x)), call('ZCARD', dead_key(x))
  retries = retries + retry_count
  dead = dead + dead_count
  local held = call('SISMEMBER', HOLD, endpoint)
  local should, is = should_be_due(x, held), tonumber((call('ZSCORE', DUE, endpoint)))
  if should and (not is or is > should) then append(due_writes, digits(should), endpoint) end
  if held == 1 and is then append(due_removes, endpoint) end
  local owes = retry_count + dead_count > 0
  if owes and not endpoints.owing[endpoint] then append(owing_adds, endpoint) end
  if not owes and endpoints.owing[endpoint] then append(owing_removes, endpoint) end
end

-- Settled is what was accepted, less what is unread or pending. The unread are not looked at: they
-- are what remains of the stream's length.
local settled = call('HLEN', REF)
for _, letter in ipairs({'n', 'b'}) do
  local stream = letter == 'n' and NORMAL or BULK
  if settled and has_stream(stream) then
    local about = call('XINFO', 'STREAM', stream)
    local pending, owed_pending, gone = look_at_pending(stream, letter)
    settled = pending and settled + field_of(about, 'entries-added') - field_of(about, 'length') -
                            owed_pending - gone
  end
end

in_slices(owing_adds, 1000, function(list, a, b) call('SADD', OWING, unpack(list, a, b)) end)
in_slices(due_writes, 1000, function(list, a, b) call('ZADD', DUE, 'LT', unpack(list, a, b)) end)
in_slices(due_removes, 1000, function(list, a, b) call('ZREM', DUE, unpack(list, a, b)) end)
in_slices(owing_removes, 1000, function(list, a, b) call('SREM', OWING, unpack(list, a, b)) end)
local mended = #owing_adds + #due_writes / 2 + #due_removes + #owing_removes

local change = {
  settled = settled and settled - counters.settled or 0,
  dead = dead - counters.dead,
  fan = counters.ok + counters.dropped + dead + retries - counters.fan,
}
for _, by in pairs(change) do
  if by ~= 0 then mended = mended + 1 end
end
write_numbers(COUNTERS, COUNTER_FIELDS, counters, change)
return {now, owed, retries, dead, charged, mended}

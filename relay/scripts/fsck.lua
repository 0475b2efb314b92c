-- Check the invariants of a partition at one instant. Reads only, and needs no owner's token.
-- KEYS the ten, then rz dz of each endpoint | ARGV payloads_max E ep1..epE
-- Returns {now, {endpoints to add and call again}, {name, count}*, {breaches}, how many breaches}.
local payloads_max, endpoints = whole(ARGV[1], 1e6), read_endpoints(3)
if not payloads_max or not endpoints then return bad('fsck') end
if #endpoints.missing > 0 then return {now, endpoints.missing, {}, {}, 0} end

local breaches, breach_count = {}, 0
local function breach(sentence)
  breach_count = breach_count + 1
  if breach_count <= 50 then append(breaches, sentence) end
end

-- The deliveries that stand in `rz` or `dz`, by member and in all.
local deliveries, delivery_count, retries, dead = {}, 0, 0, 0
local function count_delivery(member)
  deliveries[member] = (deliveries[member] or 0) + 1
  delivery_count = delivery_count + 1
end
for endpoint, x in pairs(endpoints.place) do
  local pending_here, retry_members = {}, call('ZRANGE', retries_key(x), 0, -1)
  for _, member in ipairs(retry_members) do
    pending_here[member] = true
    count_delivery(member)
  end
  local dead_members = call('ZRANGE', dead_key(x), 0, -1)
  for _, member in ipairs(dead_members) do
    if pending_here[member] then
      breach(member .. ' is both pending and dead at endpoint ' .. endpoint)
    else
      count_delivery(member)
    end
  end
  retries = retries + #retry_members
  dead = dead + #dead_members
  if #retry_members + #dead_members > 0 and not endpoints.owing[endpoint] then
    breach('endpoint ' .. endpoint .. ' owes but is not in eps')
  end
  local held = call('SISMEMBER', HOLD, endpoint)
  local should, is = should_be_due(x, held), tonumber((call('ZSCORE', DUE, endpoint)))
  if should and not is then
    breach('endpoint ' .. endpoint .. ' has retries but neither stands in ri nor in hold')
  elseif should and is > should then
    breach('endpoint ' .. endpoint .. ' is due at ' .. digits(should) .. ', ri says ' .. digits(is))
  elseif held == 1 and is then
    breach('endpoint ' .. endpoint .. ' is held but stands in ri')
  end
end

-- `ref` is the number of deliveries of each member, and its payload is there.
local ref, ref_count, owed, payloads = call('HGETALL', REF), 0, 0, 0
for i = 1, #ref, 2 do
  local member, number = ref[i], tonumber(ref[i + 1])
  ref_count = ref_count + 1
  owed = owed + number
  if number ~= (deliveries[member] or 0) then
    breach(member .. ' has ref ' .. digits(number) .. ' and ' .. (deliveries[member] or 0) ..
           ' deliveries')
  end
  deliveries[member] = nil
  if payloads < payloads_max then
    payloads = payloads + 1
    if not payload_of(member) then breach(member .. ' is owed but its payload is gone') end
  end
end
for member in pairs(deliveries) do breach(member .. ' has deliveries but no ref') end

-- Entries: what was accepted is settled, pending or unread.
local accepted, entries, pending, pending_owed, pending_gone = 0, 0, 0, 0, 0
local unread_seen, exact = 0, true
for _, letter in ipairs({'n', 'b'}) do
  local stream = letter == 'n' and NORMAL or BULK
  if has_stream(stream) then
    local about = call('XINFO', 'STREAM', stream)
    accepted = accepted + field_of(about, 'entries-added')
    entries = entries + field_of(about, 'length')
    local last_read
    for _, group in ipairs(call('XINFO', 'GROUPS', stream)) do
      if field_of(group, 'name') == 'w' then last_read = field_of(group, 'last-delivered-id') end
    end
    if last_read then
      local here, owed_here, gone_here = look_at_pending(stream, letter)
      exact = exact and here ~= nil
      pending = pending + (here or 0)
      pending_owed = pending_owed + (owed_here or 0)
      pending_gone = pending_gone + (gone_here or 0)
    end
    local ahead = #call('XRANGE', stream, last_read and '(' .. last_read or '-', '+', 'COUNT', 500)
    unread_seen = unread_seen + ahead
    if ahead == 500 then exact = false end
  end
end
local counters = read_numbers(COUNTERS, {'settled', 'fan', 'ok', 'dead', 'dropped', 'repeats'})
local unread = entries - (pending - pending_gone) - (ref_count - pending_owed)
if exact then
  if unread ~= unread_seen then
    breach('entries that are read, not pending and owed to nobody: ' .. (unread - unread_seen))
  end
  if accepted ~= counters.settled + pending + unread then
    breach('accepted ' .. digits(accepted) .. ' is not settled ' .. digits(counters.settled) ..
           ' + pending ' .. pending .. ' + unread ' .. unread)
  end
end

-- Counters.
if counters.dead ~= dead then
  breach('counter dead is ' .. digits(counters.dead) .. ', dead letters are ' .. dead)
end
local accounted = counters.ok + counters.dead + counters.dropped + retries
if counters.fan ~= accounted then
  breach('counter fan is ' .. digits(counters.fan) .. ', ok + dead + dropped + pending is ' ..
         digits(accounted))
end
local charged, charge_texts = 0, call('HGETALL', TENANTS)
for i = 1, #charge_texts, 2 do
  local number = tonumber(charge_texts[i + 1])
  if string.sub(charge_texts[i], -2) == '/d' then charged = charged + number end
  if number < 0 then breach('charge ' .. charge_texts[i] .. ' is below zero') end
end
if charged ~= owed then
  breach('tenants are charged for ' .. digits(charged) .. ' deliveries, owed are ' .. digits(owed))
end

return {now, {}, {
  'accepted', digits(accepted), 'settled', digits(counters.settled), 'pending_entries', pending,
  'unread', exact and unread or -1, 'owed_events', ref_count, 'owed', digits(owed),
  'retries', retries, 'dead', dead, 'endpoints', endpoints.count, 'fan', digits(counters.fan),
  'ok', digits(counters.ok), 'dropped', digits(counters.dropped),
  'repeats', digits(counters.repeats), 'history', call('HLEN', HISTORY),
  'payloads_checked', payloads,
}, breaches, breach_count}

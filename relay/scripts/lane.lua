#!lua flags=allow-oom
-- Lanes: shares an endpoint's permits and rate out among the workers, and keeps its breaker.
--
-- Permits are a hard cap. Each worker holds some until a time by Redis's clock; all of them together
-- never hold more than the cap, because a worker's part grows only by what nobody holds, and shrinks
-- only to what the worker itself says that it keeps. Who wants more than it has is hungry. While
-- anybody is, those above their fair part are told to come down to it; where workers outnumber the
-- permits they take turns.
--
-- KEYS the lanes' hashes | ARGV worker lease_ms, then of each lane
--   cap want keep · per_s burst tokens · backlog_per_s tokens ·
--   ok failed failed_last probe(0|1) · failures share(0/00) least window_ms probe_every_ms
--   slow_start_ms
--     keep: the permits that the worker will not exceed until it has the answer
--     failed_last: of `failed`, those after the last `ok`
-- Returns {now, {permits, come_down_to, tokens, wait_ms, backlog tokens, wait_ms, open(0|1),
--                probe(0|1), probe_in_ms, slow(0|1), failing_since_ms}*}.
local ARGUMENTS = {
  'cap', 'want', 'keep', 'per_s', 'burst', 'tokens', 'backlog_per_s', 'backlog_tokens',
  'ok', 'failed', 'failed_last', 'probe', 'failures', 'share', 'least', 'window', 'probe_every',
  'slow_start',
}
local STATE = {'row', 'window', 'f0', 'o0', 'f1', 'o1', 'failing_since', 'probe_at', 'slow_from',
               'full_at', 'backlog_full_at'}
local TURN_MS, FORGET_MS, FAILING_FORGET_MS = 1000, 120000, 100 * 86400000
local call, floor, max, min = redis.call, math.floor, math.max, math.min
local function whole(text)
  if not text or not string.find(text, '^%d+$') or #text > 10 then return nil end
  return tonumber(text)
end
local function digits(number) return string.format('%.0f', number) end

local worker, lease = ARGV[1], whole(ARGV[2])
if not worker or not string.find(worker, '^[%w_.-]+$') or not lease or lease < 1 or #KEYS < 1 or
   #KEYS > 100 or #ARGV ~= 2 + #KEYS * #ARGUMENTS then
  return redis.error_reply('BADARG lane')
end
local asks = {}
for i = 1, #KEYS do
  local ask = {}
  for n, name in ipairs(ARGUMENTS) do
    ask[name] = whole(ARGV[2 + (i - 1) * #ARGUMENTS + n])
    if not ask[name] then return redis.error_reply('BADARG lane ' .. name) end
  end
  asks[i] = ask
end

local clock = call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = floor(now_us / 1000)
local me = 'w:' .. worker

-- What the breaker learns from the attempts since the last report: state.row failures in a row, the
-- window's numbers of the present (f0, o0) and the one before it (f1, o1), failing_since.
local function learn(state, ask)
  if ask.ok + ask.failed == 0 then return end
  local window = floor(now / ask.window)
  if state.window ~= window then
    local follows = state.window == window - 1
    state.f1, state.o1 = follows and state.f0 or 0, follows and state.o0 or 0
    state.f0, state.o0, state.window = 0, 0, window
  end
  state.f0, state.o0 = (state.f0 or 0) + ask.failed, (state.o0 or 0) + ask.ok
  state.row = ask.ok > 0 and ask.failed_last or (state.row or 0) + ask.failed
  if ask.ok > 0 then
    state.failing_since = nil
    -- Whoever succeeded, it has recovered; what was counted before says nothing any more.
    if state.probe_at then
      state.probe_at, state.slow_from = nil, now
      state.f0, state.o0, state.f1, state.o1 = ask.failed_last, ask.ok, 0, 0
    end
  end
  if state.row > 0 and not state.failing_since then state.failing_since = now end
end

local function trips(state, ask)
  if ask.failures > 0 and state.row >= ask.failures then return true end
  local before = 1 - (now % ask.window) / ask.window
  local failed = state.f0 + (state.f1 or 0) * before
  local all = failed + state.o0 + (state.o1 or 0) * before
  return ask.share > 0 and all >= ask.least and failed * 1000 >= all * ask.share
end

-- How many permits there are now: none behind an open breaker, one for a probe, few at first after
-- a recovery.
local function permits_of(state, ask)
  if state.probe_at then return 0 end
  if state.slow_from then
    local since = now - state.slow_from
    if since < ask.slow_start then return max(1, floor(ask.cap * since / ask.slow_start)) end
    state.slow_from = nil
  end
  return ask.cap
end

-- A worker's part: permits held, until when, wanted, hungry since and held since (0: not).
local function part_of(text)
  local part, n = {}, 0
  for number in string.gmatch(text, '%d+') do
    n = n + 1
    part[n] = tonumber(number)
  end
  return {held = part[1] or 0, till = part[2] or 0, want = part[3] or 0, hungry = part[4] or 0,
          since = part[5] or 0}
end

-- Returns the part of `worker` after this call, and to how many it is to come down.
local function share_out(parts, ask, permits)
  local mine = parts[me] or {held = 0, hungry = 0, since = 0}
  local others, claimants, hungrier, hungry = 0, ask.want > 0 and 1 or 0, 0, 0
  for name, part in pairs(parts) do
    if name ~= me then
      others = others + part.held
      if part.want > 0 then claimants = claimants + 1 end
      if part.hungry > 0 then
        hungry = hungry + 1
        if mine.hungry == 0 or part.hungry < mine.hungry then hungrier = hungrier + 1 end
      end
    end
  end
  local fair = max(1, floor(permits / max(1, claimants)))
  local target = min(ask.want, permits)
  local free = max(0, ask.cap - others)
  if hungry > 0 then
    target = min(target, fair)
    if permits < claimants then
      if mine.held > 0 and now - mine.since >= TURN_MS then target = 0 end
      if mine.held == 0 and hungrier >= free then target = 0 end
    end
  end
  local keep = min(ask.keep, mine.held)
  local held = max(keep, min(target, free, max(0, permits - others)))
  local short = held < min(ask.want, fair, permits)
  return {
    held = held, till = now + lease, want = ask.want,
    hungry = short and (mine.hungry > 0 and mine.hungry or now) or 0,
    since = held > 0 and (mine.held > 0 and mine.since or now) or 0,
  }, target, max(1, claimants)
end

-- A bucket that holds `burst` tokens and gains `per_s` a second, kept as the time at which it would
-- be full again (GCRA). Returns the tokens given, when to ask again, and the bucket.
local function draw(full_at, per_s, burst, wanted, claimants)
  if per_s == 0 then return 0, 0, nil end
  local each = 1000000 / per_s
  if burst == 0 then burst = per_s end
  full_at = max(full_at or 0, now_us)
  local there = floor((now_us - full_at) / each + burst + 1e-9)
  local part = max(1, floor(max(burst, per_s / 4) / claimants))
  local given = max(0, min(wanted, there, part))
  full_at = full_at + given * each
  local next_us = full_at + each - now_us - burst * each
  local wait = wanted > given and max(1, math.ceil(next_us / 1000)) or 0
  return given, wait, full_at
end

local replies = {now}
for i = 1, #KEYS do
  local ask, state, before, parts = asks[i], {}, {}, {}
  local flat, writes, drops = call('HGETALL', KEYS[i]), {}, {}
  for f = 1, #flat, 2 do
    if string.sub(flat[f], 1, 2) == 'w:' then
      local part = part_of(flat[f + 1])
      if part.till < now then drops[#drops + 1] = flat[f] else parts[flat[f]] = part end
    else
      state[flat[f]] = tonumber(flat[f + 1])
      before[flat[f]] = state[flat[f]]
    end
  end

  learn(state, ask)
  if not state.probe_at and ask.failed > 0 and trips(state, ask) then
    state.probe_at, state.slow_from = now + ask.probe_every, nil
  end
  local permits, probe = permits_of(state, ask), 0
  if state.probe_at and ask.probe == 1 and now >= state.probe_at then
    permits, probe = 1, 1
  end
  local part, come_down_to, claimants = share_out(parts, ask, permits)
  if probe == 1 then
    -- The permits of those who had some when it opened may still be held; the next to ask probes.
    if part.held > 0 then state.probe_at = now + ask.probe_every else probe = 0 end
  end
  local tokens, wait, full_at = draw(state.full_at, ask.per_s, ask.burst, ask.tokens, claimants)
  local backlog_tokens, backlog_wait, backlog_full_at =
      draw(state.backlog_full_at, ask.backlog_per_s, max(1, floor(ask.backlog_per_s / 10)),
           ask.backlog_tokens, claimants)
  state.full_at, state.backlog_full_at = full_at, backlog_full_at

  for _, name in ipairs(STATE) do
    if state[name] and state[name] ~= before[name] then
      writes[#writes + 1] = name
      writes[#writes + 1] = digits(state[name])
    elseif before[name] and not state[name] then
      drops[#drops + 1] = name
    end
  end
  if part.held > 0 or part.want > 0 then
    writes[#writes + 1] = me
    writes[#writes + 1] = table.concat({digits(part.held), digits(part.till), digits(part.want),
                                        digits(part.hungry), digits(part.since)}, ' ')
  elseif parts[me] then
    drops[#drops + 1] = me
  end
  if #writes > 0 then call('HSET', KEYS[i], unpack(writes)) end
  if #drops > 0 then call('HDEL', KEYS[i], unpack(drops)) end
  local forget = (state.probe_at or state.failing_since) and FAILING_FORGET_MS or FORGET_MS
  if state.full_at then forget = max(forget, floor((state.full_at - now_us) / 1000)) end
  call('PEXPIRE', KEYS[i], digits(max(forget, part.till - now)))

  replies[#replies + 1] = {
    part.held, come_down_to, tokens, wait, backlog_tokens, backlog_wait, state.probe_at and 1 or 0,
    probe, state.probe_at and max(0, state.probe_at - now) or 0, state.slow_from and 1 or 0,
    digits(state.failing_since or 0),
  }
end
return replies

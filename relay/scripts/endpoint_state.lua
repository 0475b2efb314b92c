#!lua flags=allow-oom
-- Pauses, resumes, disables or enables an endpoint at run time. allow-oom: pausing an endpoint is
-- what an operator does about a full Redis.
-- KEYS endpoint_state, changes, lane of the endpoint | ARGV endpoint pause|resume|disable|enable reason
-- returns the state as JSON
local call = redis.call
local wanted = {
  pause = {'paused', true}, resume = {'paused', false},
  disable = {'disabled', true}, enable = {'disabled', false},
}
local change = wanted[ARGV[2]]
if not change or not string.find(ARGV[1], '^%d+$') or #ARGV ~= 3 then
  return redis.error_reply('BADARG endpoint_state')
end
local held = call('HGET', KEYS[1], ARGV[1])
local state = held and cjson.decode(held) or
    {disabled = false, paused = false, reason = '', since_ms = 0}
local flag, value = change[1], change[2]
-- What is so already keeps its reason and time; the tenth 410 in a row is no news.
if state[flag] == value then return cjson.encode(state) end

state[flag] = value
if value then
  local clock = call('TIME')
  state.since_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)
  state.reason = ARGV[3]
end
-- Who enables it says that it is well again. So it is given its time anew: with what failed before,
-- its next failure would disable it. And its breaker closes, as after a probe that succeeded: it is
-- sent something at once, and more and more.
if ARGV[2] == 'enable' and call('EXISTS', KEYS[3]) == 1 then
  call('HDEL', KEYS[3], 'failing_since', 'row', 'window', 'f0', 'o0', 'f1', 'o1', 'probe_at')
  local clock = call('TIME')
  call('HSET', KEYS[3], 'slow_from', clock[1] * 1000 + math.floor(clock[2] / 1000))
end
call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'endpoint', ARGV[1], 'change', ARGV[2])
if state.disabled or state.paused then
  call('HSET', KEYS[1], ARGV[1], cjson.encode(state))
else
  call('HDEL', KEYS[1], ARGV[1])
  state.reason, state.since_ms = '', 0
end
return cjson.encode(state)

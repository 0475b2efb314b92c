#!lua flags=allow-oom
-- Says that a worker lives, or that it leaves, by Redis's clock.
-- KEYS workers | ARGV live|leave member silence_ms      returns the live members, sorted
local call = redis.call
local silence = tonumber(ARGV[3])
if not silence or silence < 1 or #ARGV[2] < 1 or #ARGV[2] > 200 then
  return redis.error_reply('BADARG heartbeat')
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - silence))
if ARGV[1] == 'live' then
  call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[2])
elseif ARGV[1] == 'leave' then
  call('ZREM', KEYS[1], ARGV[2])
else
  return redis.error_reply('BADARG heartbeat')
end
local live = call('ZRANGE', KEYS[1], 0, 9999)
table.sort(live)
return live

#!lua flags=allow-oom
-- Take, renew or give back a partition.
-- KEYS own | ARGV take|renew|give boot epoch lease_ms      (epoch: ours; ignored by take)
-- `own` is "<epoch> <boot> <deadline ms>" and never expires, so that the epoch never falls.
-- Returns {1, epoch, lease_ms} when won, else {0, present epoch, ms left}.
local call = redis.call
local op, boot, epoch, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not lease or lease < 1 or lease > 3600000 or lease ~= math.floor(lease) then
  return redis.error_reply('BADARG lease')
end
if #boot > 40 or not string.find(boot, '^[%w%-]+$') then return redis.error_reply('BADARG boot') end
if op ~= 'take' and op ~= 'renew' and op ~= 'give' then return redis.error_reply('BADARG op') end

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function digits(number) return string.format('%.0f', number) end

local own = call('GET', KEYS[1])
local held_epoch, held_boot, deadline = string.match(own or '', '^(%d+) (%S+) (%d+)$')
if own and not held_epoch then return redis.error_reply('BADOWN ' .. own) end
local left = math.max(0, (tonumber(deadline) or 0) - now)

if op == 'take' then
  if held_epoch and held_boot ~= boot and left > 0 then return {0, tonumber(held_epoch), left} end
  local next_epoch = (tonumber(held_epoch) or 0) + 1
  call('SET', KEYS[1], digits(next_epoch) .. ' ' .. boot .. ' ' .. digits(now + lease))
  return {1, next_epoch, lease}
end
if held_epoch ~= epoch or held_boot ~= boot then return {0, tonumber(held_epoch) or 0, left} end
-- What is given back keeps its epoch: the next owner's is one higher.
local until_ms = op == 'give' and 0 or now + lease
call('SET', KEYS[1], held_epoch .. ' ' .. boot .. ' ' .. digits(until_ms))
return {1, tonumber(held_epoch), op == 'give' and 0 or lease}

#!lua flags=allow-oom
-- Writes a catalog, if Redis still holds the version that it was made from. allow-oom: another URL,
-- or an endpoint less, is what an operator does about a full Redis.
-- KEYS catalog, changes, endpoint_state | ARGV version text next_endpoint removed_endpoints
-- returns {1, new version}, or {0, the version held} when that is another one
local call = redis.call
local held = call('HGET', KEYS[1], 'version') or '0'
if not string.find(ARGV[1], '^%d+$') or not string.find(ARGV[3], '^%d+$') or #ARGV ~= 4 then
  return redis.error_reply('BADARG catalog_apply')
end
if held ~= ARGV[1] then return {0, tonumber(held)} end

-- Announced first: should a later call fail, a needless reading is all that comes of it.
local version = string.format('%.0f', tonumber(held) + 1)
call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'version', version)
call('HSET', KEYS[1], 'version', version, 'text', ARGV[2], 'next_endpoint', ARGV[3])
-- What is left of endpoints that are gone: their numbers are never used again.
for number in string.gmatch(ARGV[4], '%d+') do call('HDEL', KEYS[3], number) end
return {1, tonumber(version)}

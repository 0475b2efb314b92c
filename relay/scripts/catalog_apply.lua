#!lua flags=allow-oom
-- Puts a catalog in force whose parts are all in place, if Redis still holds the version that it
-- was made from. allow-oom: another URL, or an endpoint less, is what an operator does about a full
-- Redis.
-- KEYS catalog, parts, changes, endpoint_state
-- ARGV version manifest next_endpoint endpoints_to_forget digest, for each part
-- returns {1, new version}, or {0, the version held} when that is another one or a part is missing
local call = redis.call
if #ARGV < 4 or not string.find(ARGV[1], '^%d+$') or not string.find(ARGV[3], '^%d+$') then
  return redis.error_reply('BADARG catalog_apply')
end
local held = call('HGET', KEYS[1], 'version') or '0'
if held ~= ARGV[1] then return {0, tonumber(held)} end
local named = {}
for i = 5, #ARGV do
  -- Another writer has cleared it away.
  if call('HEXISTS', KEYS[2], ARGV[i]) == 0 then return {0, tonumber(held)} end
  named[ARGV[i]] = true
end

-- Announced first: should a later call fail, a needless reading is all that comes of it.
local version = string.format('%.0f', tonumber(held) + 1)
call('XADD', KEYS[3], 'MAXLEN', '~', 1000, '*', 'version', version)
call('HSET', KEYS[1], 'version', version, 'manifest', ARGV[2], 'next_endpoint', ARGV[3])
for _, digest in ipairs(call('HKEYS', KEYS[2])) do
  if not named[digest] then call('HDEL', KEYS[2], digest) end
end
-- What is left of endpoints that are gone: their numbers are never used again.
for number in string.gmatch(ARGV[4], '%d+') do call('HDEL', KEYS[4], number) end
return {1, tonumber(version)}

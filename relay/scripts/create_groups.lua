#!lua flags=allow-oom
-- Creates the consumer group of each stream at its beginning, and the stream, where it is missing.
-- allow-oom: XGROUP CREATE alone is refused by a full Redis even where the group exists, and then
-- nobody could take a partition over and free memory.
-- KEYS streams | ARGV group      returns how many were created
local call = redis.call
local group = ARGV[1]
if not group or group == '' or #ARGV ~= 1 or #KEYS < 1 or #KEYS > 10 then
  return redis.error_reply('BADARG create_groups')
end

local function exists(stream)
  if call('EXISTS', stream) == 0 then return false end
  for _, found in ipairs(call('XINFO', 'GROUPS', stream)) do
    if found[2] == group then return true end
  end
  return false
end

local created = 0
for _, stream in ipairs(KEYS) do
  if not exists(stream) then
    call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
    created = created + 1
  end
end
return created

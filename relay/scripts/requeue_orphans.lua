-- Put entries that were read, are not pending and are owed to nobody back on the pending entries
-- list. None exist unless the group was lost or a script failed half way.
-- KEYS the ten | ARGV owner n|b cursor count      cursor: "-" first, then as returned
-- Returns {now, next cursor or '', {members put back}}.
local letter, cursor, count = ARGV[2], ARGV[3], whole(ARGV[4], 200)
if (letter ~= 'n' and letter ~= 'b') or not count or count < 1 or
   not string.find(cursor, '^%(?[%d%-]+$') then
  return bad('orphans')
end
local stream = letter == 'n' and NORMAL or BULK
if not has_stream(stream) then return {now, '', {}} end
local last_read
for _, group in ipairs(call('XINFO', 'GROUPS', stream)) do
  if field_of(group, 'name') == 'w' then last_read = field_of(group, 'last-delivered-id') end
end
if not last_read then return redis.error_reply('NOGROUP no group of workers') end

local entries = call('XRANGE', stream, cursor, last_read, 'COUNT', count)
local claim, requeued, next_cursor = {'XCLAIM', stream, 'w', 'w', '0'}, {}, ''
for i = 1, #entries do
  local id = entries[i][1]
  next_cursor = '(' .. id
  if call('HEXISTS', REF, letter .. id) == 0 and not is_pending(letter .. id) then
    append(claim, id)
    append(requeued, letter .. id)
  end
end
if #requeued > 0 then
  append(claim, 'FORCE', 'JUSTID')
  call(unpack(claim))
end
return {now, #entries < count and '' or next_cursor, requeued}

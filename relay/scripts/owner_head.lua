-- Second part of the head, for what only the owner may do: ARGV[1] is its token "<epoch> <boot>".
-- A lapsed lease alone does not refuse, because nobody else owns the partition yet; another token
-- in `own` does.
local owner = call('GET', OWN)
if not owner or string.sub(owner, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then
  return redis.error_reply('STALE another owner: ' .. (owner or 'none'))
end


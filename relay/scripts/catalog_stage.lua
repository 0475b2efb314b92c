#!lua flags=allow-oom
-- Puts texts of the catalog in place that no manifest names yet. allow-oom as in catalog_apply.
-- KEYS parts | ARGV digest text, for each
if #ARGV == 0 or #ARGV % 2 ~= 0 then return redis.error_reply('BADARG catalog_stage') end
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return #ARGV / 2

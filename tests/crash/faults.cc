#include "tests/crash/faults.h"

#include "relay/check.h"

namespace relay {
namespace {

std::string ReplaceOnce(const std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  RELAY_CHECK(at != std::string::npos);
  RELAY_CHECK(text.find(from, at + 1) == std::string::npos);
  return text.substr(0, at) + to + text.substr(at + from.size());
}

}  // namespace

std::string FailingAtCall(const std::string& text, int nth) {
  return ReplaceOnce(text, "local call = redis.call\n",
                     "local calls_made = 0 local function call(...) calls_made = calls_made + 1 "
                     "if calls_made == " +
                         std::to_string(nth) +
                         " then error('injected failure') end return redis.call(...) end\n");
}

std::string Spoilt(const std::string& text, const Spoil& spoil) {
  return ReplaceOnce(text, spoil.from, spoil.to);
}

const std::vector<Spoil>& Spoils() {
  static const std::vector<Spoil> kSpoils = {
      {"payload released in spite of what is owed", "settle",
       "if first == 1 and not entry.keeps_payload then", "if first == 1 then"},
      {"no index entry for a retry", "settle",
       "if #due_writes > 0 then call('ZADD', DUE, 'LT', unpack(due_writes)) end", ""},
      {"settled entries owe again", "settle", "won[j] = is_pending(entry.member) and 1 or 0",
       "won[j] = 1"},
      {"payload released while its entry is pending", "resolve",
       "if ref[i] == 0 and not is_pending(member) then", "if ref[i] == 0 then"},
      {"members written before their count", "settle",
       "if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end\n"
       "if #history_writes > 0 then call('HSET', HISTORY, unpack(history_writes)) end\n"
       "for x, adds in pairs(retry_adds) do call('ZADD', retries_key(x), unpack(adds)) end\n",
       "for x, adds in pairs(retry_adds) do call('ZADD', retries_key(x), unpack(adds)) end\n"
       "if #ref_writes > 0 then call('HSET', REF, unpack(ref_writes)) end\n"},
      {"dead letter removed before it is due again", "redrive",
       "call('ZADD', retries_key(1), 'NX', unpack(adds))\n",
       "call('ZREM', dead_key(1), unpack(chosen))\n"
       "call('ZADD', retries_key(1), 'NX', unpack(adds))\n"},
      {"purge forgets the other endpoints", "purge", "if left > 0 then", "if false then"},
      {"endpoint forgotten that still owes", "resolve",
       "forget_settled_endpoints(touched)\n\nwrite_numbers",
       "for x, endpoint in pairs(touched) do call('SREM', OWING, endpoint) end\n\nwrite_numbers"},
  };
  return kSpoils;
}

}  // namespace relay

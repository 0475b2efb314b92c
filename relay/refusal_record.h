#pragma once

#include <cstdint>
#include <string>

#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"

namespace relay {

// One callback that was refused, as `relayctl refused` shows it: never its body, never a key.
struct RefusalRecord {
  std::string source;  // Source id; "-" where the path named none.
  std::string reason;  // The word of the metric and of the answer, e.g. "forged".
  std::string detail;  // Says more; one of our own sentences.
  std::string peer;    // The sender's address.
  int status = 0;      // The HTTP status that it was answered.
  int64_t at_ms = 0;   // Wall time of the broker.

  bool operator==(const RefusalRecord&) const = default;
};

// The last so many are kept.
constexpr int64_t kRefusalsKept = 100;

// XADD to the stream of refusals.
RedisCommand KeepRefusal(const RefusalRecord& refusal);
// From the flat list of names and values of an entry of that stream.
Result<RefusalRecord> DecodeRefusal(const RedisValue& fields);

}  // namespace relay

#pragma once

#include <string_view>

#include "relay/call_scope.h"
#include "relay/clock.h"
#include "relay/metrics.h"
#include "relay/redis_client.h"

namespace relay {

// Keeps the last refusals in Redis, for `relayctl refused`: a wrong key is the commonest first
// fault, and its owner should not have to read logs. Somebody who sends garbage as fast as he can
// must not load Redis with it, so no more than kPerSecondMax are written; the others are counted.
//
// Never waits and never fails anything: what Redis does not take is gone.
// `clock`, `redis` and `metrics` outlive it. Loop thread only.
class RefusalLog {
 public:
  static constexpr int kPerSecondMax = 20;

  RefusalLog(const Clock& clock, RedisClient& redis, Metrics& metrics);

  // `source` is "-" where the path named none; `detail` is one of our own sentences.
  void Note(std::string_view source, std::string_view reason, std::string_view detail, int status,
            std::string_view peer);

 private:
  const Clock& clock_;
  RedisClient& redis_;
  Counter& skipped_;
  MonoTime second_began_;
  int this_second_ = 0;
  CallScope scope_;
};

}  // namespace relay

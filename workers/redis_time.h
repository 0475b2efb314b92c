#pragma once

#include <cstdint>

#include "relay/clock.h"

namespace relay {

// What Redis's own clock shows, as far as this worker knows. Due times are written by Redis's clock
// alone; the worker's wall clock may be off by hours and nothing gets early or late by it.
//
// The estimate is late by at most the way back of the reply it was learned from, never early by
// more than the drift of two clocks since then.
class RedisTime {
 public:
  bool known() const { return known_; }
  void Learn(int64_t redis_now_ms, MonoTime now) {
    known_ = true;
    redis_ms_ = redis_now_ms;
    learned_ = now;
  }
  // Requires: known().
  int64_t NowMs(MonoTime now) const {
    return redis_ms_ + std::chrono::duration_cast<Millis>(now - learned_).count();
  }

 private:
  bool known_ = false;
  int64_t redis_ms_ = 0;
  MonoTime learned_{};
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <memory>

#include "cli/redis_session.h"

namespace relay {

// The pace of a command that does something to many deliveries, batch by batch, until it is done or
// Ctrl-C is pressed.
class PacedRun {
 public:
  static constexpr int64_t kPerSecondMax = 1'000'000;

  // `per_s` deliveries a second; 0: as fast as it goes. `session` outlives the run. Takes SIGINT
  // and SIGTERM over.
  PacedRun(RedisSession& session, int64_t per_s);

  // How many to do at once, of at most `page`.
  int64_t BatchOf(int64_t page) const;
  // Waits until `deliveries` more may be done; false when told to stop.
  bool Await(int64_t deliveries);

 private:
  RedisSession& session_;
  const int64_t per_s_;
  MonoTime next_at_{};
  // Shared with the signals, which nobody takes back.
  const std::shared_ptr<bool> interrupted_ = std::make_shared<bool>(false);
};

// Asks on the terminal whether so many of `what` ("dead letters") may be thrown away.
bool MayThrowAway(int64_t count, const char* what);

}  // namespace relay

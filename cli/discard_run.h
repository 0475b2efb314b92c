#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/paced_run.h"
#include "cli/redis_session.h"

namespace relay {

// Throws away what one endpoint has waiting: its retries, held and parked deliveries among them.
// Its dead letters stay, and so does what comes after Count(). A batch is one script, so that a
// stop of any kind leaves each delivery either untouched or thrown away.
class DiscardRun {
 public:
  // At the pace of PacedRun. `session` outlives the run.
  DiscardRun(RedisSession& session, std::string tenant, uint64_t endpoint, int64_t per_s)
      : session_(session), tenant_(std::move(tenant)), endpoint_(endpoint), pace_(session, per_s) {}

  // How many wait now, which is also how many Do() throws away at most.
  Result<int64_t> Count();
  // The error that ended it, kCancelled after Ctrl-C. Requires: Count() was called.
  Status Do();
  // Also of a Do() that ended early.
  int64_t done() const { return done_; }

 private:
  RedisSession& session_;
  const std::string tenant_;
  const uint64_t endpoint_;
  PacedRun pace_;
  std::vector<int64_t> waiting_;  // In the order of the partitions.
  int64_t total_ = 0;
  int64_t done_ = 0;
};

}  // namespace relay

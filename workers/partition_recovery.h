#pragma once

#include <functional>
#include <string>

#include "relay/call_scope.h"
#include "relay/log.h"
#include "relay/partition_sweep.h"
#include "relay/redis_client.h"
#include "workers/tenure.h"

namespace relay {

// Makes a partition fit for work when it has just been taken: creates what is missing and sweeps
// what a script that failed half way, or a worker that died, has left behind.
//
// Calls `on_done` once, never from inside Start(); not after it is destroyed. A non-OK status means
// that the partition must not be worked on: kConflict when somebody else owns it, else Redis is
// away or refuses. `redis` and `log` outlive it.
class PartitionRecovery {
 public:
  using OnDone = std::function<void(const Status&)>;

  PartitionRecovery(RedisClient& redis, Log& log, TenurePtr tenure, OnDone on_done);
  void Start();

 private:
  void OnGroups(const Result<RedisValue>& reply);
  void OnSwept(const Result<SweepReport>& report);

  RedisClient& redis_;
  Log& log_;
  const TenurePtr tenure_;
  const OnDone on_done_;
  PartitionSweep sweep_;
  CallScope scope_;
};

// Says what a sweep found, where it found anything.
void LogSweep(Log& log, int partition, const SweepReport& report);

}  // namespace relay

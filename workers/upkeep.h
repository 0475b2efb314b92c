#pragma once

#include <map>
#include <memory>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/partition_sweep.h"
#include "relay/redis_client.h"
#include "relay/redis_upkeep.h"
#include "workers/tenure.h"
#include "workers/worker_metrics.h"

namespace relay {

// What an owner does for its partitions besides moving events: sweeps them from time to time, one
// after the other, and shows their counters as metrics.
//
// All references outlive it. Loop thread only.
class Upkeep {
 public:
  // Long against the life of an event: a sweep only mends what a broken-off script has left.
  static constexpr std::chrono::minutes kSweepEvery{5};
  static constexpr Seconds kCountEvery{5};

  Upkeep(EventLoop& loop, RedisClient& redis, Log& log, WorkerMetrics& metrics);

  // A partition that has just been swept at its taking.
  void Add(const TenurePtr& tenure);
  void Drop(const TenurePtr& tenure);

 private:
  struct Desk {
    TenurePtr tenure;
    MonoTime next_sweep{};
    PartitionCounters counters;
  };

  void OnTick();
  void OnCounters(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void ShowCounters();
  void SweepNext();
  void OnSwept(const TenurePtr& tenure, const Result<SweepReport>& report);
  Desk* DeskOf(const TenurePtr& tenure);

  EventLoop& loop_;
  RedisClient& redis_;
  Log& log_;
  WorkerMetrics& metrics_;
  std::map<int, Desk> desks_;  // By partition.
  TenurePtr swept_;            // Under which the sweep runs; null when none does.
  std::unique_ptr<PartitionSweep> sweep_;
  std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

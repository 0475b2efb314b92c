#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_client.h"
#include "relay/settings.h"
#include "workers/attempt.h"
#include "workers/attempt_log.h"
#include "workers/dead_letter_archive.h"
#include "workers/dead_letter_keeper.h"
#include "workers/dispatcher.h"
#include "workers/endpoint_disabler.h"
#include "workers/fan_out.h"
#include "workers/partition_owner.h"
#include "workers/paused_quota.h"
#include "workers/retry_scheduler.h"
#include "workers/room_book.h"
#include "workers/settler.h"
#include "workers/stream_book.h"
#include "workers/stream_consumer.h"
#include "workers/upkeep.h"
#include "workers/version_gate.h"
#include "workers/worker_metrics.h"

namespace relay {

// A worker: reads the partitions it owns, delivers, settles. It keeps no state but what is in
// flight.
//
//   PartitionOwner --gained, returning, ended--> everybody below
//   StreamConsumer -> VersionGate -> FanOut -> Dispatcher -> (attempt) -> FanOut -> Settler
//   RetryScheduler -----------------------------> Dispatcher -> (attempt) -> Settler
//   StreamBook and RoomBook tell each attempt what is known of the event's stream.
//
// A partition is given back, one by one or all at a drain, when nothing is in hand under it:
// nothing new is read or taken, what is in flight has `drain` to end, what has not ended then is
// aborted and parked as due now. So a hand-over makes no duplicates unless a request outlives the
// drain.
//
// All references outlive the worker. Loop thread only.
class Worker {
 public:
  struct Parts {
    EventLoop& loop;
    RedisClient& redis;   // Commands.
    RedisClient& reader;  // The blocking read alone.
    CatalogStore& catalogs;
    Attempts& attempts;
    Random& random;
    Log& log;
    Metrics& metrics;
    // Used memory of Redis as a share of its maxmemory; without it none is known.
    std::function<double()> memory_share = nullptr;
  };

  // How often a drain looks whether it is done.
  static constexpr Millis kDrainTick{50};
  // What may follow the end of the drain: the settling of what was parked.
  static constexpr Millis kDrainGrace{2000};
  static constexpr Millis kCatalogAgain{500};

  // `boot_id` differs for each start of a process; `name` is for people.
  Worker(Parts parts, const Settings& settings, std::string boot_id, std::string name);

  // Loads the catalog, then takes partitions: without knowing any endpoint nothing must be matched.
  void Start();
  // Gives everything back. `on_drained` comes when nothing is in hand, after `drain` and
  // kDrainGrace at the latest.
  void Drain(std::function<void()> on_drained);

  // Why nothing is delivered, one sentence each; empty when all is well.
  std::vector<std::string> NotReady() const;
  int partitions_owned() const { return owner_.owned(); }

 private:
  struct Return {
    TenurePtr tenure;
    MonoTime deadline{};
    bool parked = false;
  };

  void LoadCatalog();
  void OnFirstCatalog(const Result<CatalogPtr>& catalog);
  void OnSnapshot(const CatalogPtr& catalog);
  void OnGained(const TenurePtr& tenure);
  void OnPassed(const HeldEventPtr& held);
  void OnReturning(const TenurePtr& tenure);
  void OnEnded(const TenurePtr& tenure);
  void OnGone(const Endpoint& endpoint);
  void OnBreaker(uint64_t endpoint, bool open);
  void OnFailing(uint64_t endpoint, int64_t since_ms, int64_t now_ms);
  void OnTick();
  AttemptLog::Memory MemoryForLog() const;
  void OnDrainTick();
  bool Quiet(const TenurePtr& tenure) const;

  EventLoop& loop_;
  RedisClient& redis_;
  CatalogStore& catalogs_;
  Log& log_;
  const Settings settings_;
  WorkerMetrics metrics_;
  PartitionOwner owner_;
  Settler settler_;
  EndpointTable table_;
  PausedQuota paused_quota_;
  EndpointDisabler disabler_;
  const std::function<double()> memory_share_;
  AttemptLog attempt_log_;
  // Before those who read partitions: what they learn on a new connection must find the book there.
  StreamBook streams_;
  RoomBook rooms_;
  Dispatcher dispatcher_;
  FanOut fan_out_;
  VersionGate gate_;
  StreamConsumer consumer_;
  RetryScheduler scheduler_;
  Upkeep upkeep_;
  const std::unique_ptr<DeadLetterArchive> archive_;  // Null: conf names no folder.
  DeadLetterKeeper keeper_;
  bool owning_ = false;  // The catalog is there; partitions are being taken.
  bool draining_ = false;
  int live_workers_ = 1;
  std::map<int, Return> returns_;  // Partitions on their way back.
  std::unique_ptr<Timer> catalog_timer_;
  std::unique_ptr<Timer> tick_;
  std::unique_ptr<Timer> drain_tick_;
  CallScope scope_;
};

}  // namespace relay

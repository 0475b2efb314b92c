#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_scripts.h"
#include "workers/attempt_log.h"
#include "workers/dispatcher.h"
#include "workers/endpoint_table.h"
#include "workers/redis_time.h"
#include "workers/settler.h"
#include "workers/worker_metrics.h"

namespace relay {

// Brings due deliveries back: the only reader of the retry sets.
//
// It looks at each owned partition's index of due endpoints when the next one is due, at most every
// kPollMin while something changes and at least every kPollMax. Of a due endpoint it takes only
// what the endpoint's lane can start at once, never what would wait here: a delivery that waits,
// waits in Redis, where the next owner finds it. What a lane has no room for is taken when slots
// get free.
//
// Due deliveries of a disabled endpoint become dead letters. A paused endpoint's are held, and
// released when the catalog says so; those of an endpoint behind an open breaker are held until it
// closes, but for one that is tried whenever a probe is due. What has outlived deliver_within while
// it was held becomes a dead letter within kHeldLook. The whole backlog of an endpoint that has
// left the catalog, dead letters too, is dropped, a batch at a time, but only after the catalog has
// been read anew: an older snapshot must not drop what belongs to an endpoint it has not heard of.
//
// All references outlive the scheduler. Loop thread only.
class RetryScheduler {
 public:
  static constexpr Millis kPollMin{100};
  static constexpr Millis kPollMax{1000};
  static constexpr int kDuePage = 200;  // Endpoints looked at; doubled while all of them are due.
  static constexpr int kDuePageMax = 16'384;
  static constexpr int64_t kTakeBytes = 4 * 1024 * 1024;

  // How often it looks for what has died while it was held, and for endpoints that owe though the
  // catalog has them no more.
  static constexpr Seconds kHeldLook{30};

  // A big catalog is not read for unknown endpoints more often than this.
  static constexpr Seconds kCatalogAgain{10};

  struct Events {
    std::function<void(const TenurePtr&)> on_stale;
  };

  RetryScheduler(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs,
                 const EndpointTable& table, StreamBook& streams, Dispatcher& dispatcher,
                 Settler& settler, AttemptLog& attempt_log, Log& log, WorkerMetrics& metrics,
                 Millis lease_margin, Events events);

  // The table has another catalog: endpoints that may deliver again under it are released.
  void OnCatalog();
  void Add(const TenurePtr& tenure);
  void Drop(const TenurePtr& tenure);

  // The retry sets of this partition have changed, or Redis has told its time.
  void OnRetriesChanged(const TenurePtr& tenure, int64_t redis_now_ms);
  void OnSlotFree(uint64_t endpoint);
  // The endpoint's breaker has opened or closed: its retries rest, or come due again.
  void OnBreaker(uint64_t endpoint, bool open);
  // One of the retries that rest may be tried.
  void OnProbe(uint64_t endpoint);

  // True when no taking is under way for a returning tenure.
  bool quiet(const TenurePtr& tenure) const;

 private:
  struct Desk {
    TenurePtr tenure;
    MonoTime polled_at{};
    MonoTime next_poll{};
    bool polling = false;
    int takes_open = 0;
    int page = kDuePage;
    MonoTime next_held_look{};
    std::set<uint64_t> gone;  // Endpoints whose backlog is being dropped.
    bool sweeping = false;
    double late_seconds = 0;  // Of the most overdue endpoint, at the last poll.
  };
  struct Due {
    std::deque<int> partitions;  // That have due members of the endpoint; the next to take from.
    bool under_way = false;
  };

  void OnTick();
  void Poll(Desk& desk);
  void OnDue(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void TakeNext(uint64_t endpoint);
  void Take(uint64_t endpoint, Desk& desk, int count, Millis lease,
            std::vector<DeliveryNumber> slots);
  void OnTaken(const TenurePtr& tenure, uint64_t endpoint, size_t asked,
               std::vector<DeliveryNumber> slots, const Result<RedisValue>& reply);
  // Starts what was taken in one of `slots`, or resolves it at once.
  void Handle(const TenurePtr& tenure, uint64_t endpoint, TakenDelivery taken,
              std::vector<DeliveryNumber>& slots);
  void ResolveAtOnce(const TenurePtr& tenure, uint64_t endpoint, const TakenDelivery& taken,
                     Resolution::Kind kind, std::string record);
  void ForgetDue(uint64_t endpoint, int partition);
  void HoldAll(uint64_t endpoint);
  void RestAll(const Endpoint& endpoint);
  void AddResting(uint64_t endpoint, int partition);
  void StopResting(uint64_t endpoint);
  // Tries the next of the partitions in which the endpoint's retries rest; `slots` holds the one
  // slot of the probe.
  void Probe(const Endpoint& endpoint, std::vector<DeliveryNumber> slots, size_t partitions_left);
  void OnProbeTaken(const TenurePtr& tenure, uint64_t endpoint, size_t partitions_left,
                    std::vector<DeliveryNumber> slots, const Result<RedisValue>& reply);
  void ReleaseRetries(const TenurePtr& tenure, uint64_t endpoint);
  // Makes dead letters of what `endpoint` has held for too long.
  void BuryExpired(const TenurePtr& tenure, const Endpoint& endpoint);
  void OnExpiredTaken(const TenurePtr& tenure, uint64_t endpoint, const Result<RedisValue>& reply);
  bool IsUnknown(uint64_t endpoint) const;
  void LookForUnknown(uint64_t endpoint);
  void ReadCatalogForUnknown();
  void OnCatalogRead(const std::set<uint64_t>& missed, uint64_t version_before,
                     const Result<CatalogPtr>& catalog);
  // Looks for endpoints that owe and have left the catalog, and drops what they owe.
  void LookForOwing(Desk& desk);
  void OnOwing(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void SweepGone(Desk& desk);
  void OnSwept(const TenurePtr& tenure, uint64_t endpoint, const Result<RedisValue>& reply);
  void LookAtHeld(Desk& desk);
  void OnHeld(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void OnHoldAnswer(const TenurePtr& tenure, const Result<RedisValue>& reply);
  Desk* DeskOf(const TenurePtr& tenure);

  EventLoop& loop_;
  RedisClient& redis_;
  CatalogStore& catalogs_;
  const EndpointTable& table_;
  StreamBook& streams_;
  Dispatcher& dispatcher_;
  Settler& settler_;
  AttemptLog& attempt_log_;
  Log& log_;
  WorkerMetrics& metrics_;
  const Millis lease_margin_;
  const Events events_;
  RedisTime redis_time_;
  std::map<int, Desk> desks_;  // By partition.
  std::unordered_map<uint64_t, Due> due_;
  // Endpoints behind an open breaker -> partitions in which their retries rest; the next to probe
  // from first.
  std::unordered_map<uint64_t, std::deque<int>> resting_;
  std::set<uint64_t> unknown_;  // Wait for the catalog to be read.
  std::set<uint64_t> gone_;     // Confirmed: not in a catalog that was read after they were missed.
  bool reading_catalog_ = false;
  MonoTime next_catalog_{};  // Not to be read before, for the sake of unknown endpoints.
  std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog_snapshot.h"
#include "relay/event_loop.h"
#include "relay/random.h"
#include "workers/attempt.h"
#include "workers/attempt_log.h"
#include "workers/held_event.h"
#include "workers/lane.h"
#include "workers/lane_control.h"
#include "workers/room_book.h"
#include "workers/settlement.h"
#include "workers/settler.h"
#include "workers/stream_book.h"
#include "workers/worker_metrics.h"

namespace relay {

// One event for one endpoint.
struct Delivery {
  HeldEventPtr held;
  CatalogPtr catalog;  // Keeps `tenant` and `endpoint` alive.
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = nullptr;
  int attempts_made = 0;
  StreamNotePtr stream;  // Of the start or stop of a push.
};

// What is to become of a delivery.
struct Decision {
  enum class Kind {
    kAccepted,
    kRetry,  // After `delay`, with one attempt more.
    kPark,   // After `delay`, without counting an attempt.
    kDead,
  };
  Kind kind = Kind::kAccepted;
  Millis delay{0};
  std::string record;  // Of the attempt; empty where none was made.
};

// The deliveries in this worker's hands: gives each a slot in its endpoint's lane, makes its
// attempt, and decides by the outcome what is to become of it.
//
// A delivery is bound to its entry at first (`entry` is not 0): its decision is told to
// on_first_decided, because the whole entry is settled at once. Released from its entry by the soft
// split, or taken from a retry set, it stands under a lease, and its decision goes straight to the
// settler.
//
// Under a tenure that is over nothing new starts; what is in flight runs to its end and its result
// is dropped, because the next owner will make it good.
//
// All references outlive the dispatcher. Loop thread only.
class Dispatcher {
 public:
  struct Limits {
    int in_flight_max = 10000;  // Attempts of the whole worker.
    Millis split_after{2000};   // A quarter of it is the longest wait in a lane.
  };
  struct Events {
    std::function<void(uint64_t entry, const Delivery& delivery, const Decision& decision)>
        on_first_decided;
    // The endpoint answered 410.
    std::function<void(const Endpoint& endpoint)> on_gone;
    // Slots of this endpoint have become free.
    std::function<void(uint64_t endpoint)> on_slot_free;
    // The endpoint's breaker has opened or closed.
    std::function<void(uint64_t endpoint, bool open)> on_breaker;
    // Its breaker is open, and one attempt may be made: Reserve() has a slot for it.
    std::function<void(uint64_t endpoint)> on_probe;
    // Nothing has ended well at the endpoint since then, both by Redis's clock.
    std::function<void(uint64_t endpoint, int64_t failing_since_ms, int64_t now_ms)> on_failing;
  };
  struct Parts {
    EventLoop& loop;
    RedisClient& redis;
    Attempts& attempts;
    Settler& settler;
    AttemptLog& attempt_log;
    const StreamBook& streams;
    const RoomBook& rooms;
    Random& random;
    Log& log;
    WorkerMetrics& metrics;
  };

  // `boot_id` names this worker among those that share the endpoints' limits.
  Dispatcher(Parts parts, Limits limits, const std::string& boot_id, Events events);

  // Starts or queues the first attempt of a delivery of `entry`. 0: no room, park it.
  DeliveryNumber Offer(Delivery delivery, uint64_t entry);

  // Takes up to `wanted` slots of an endpoint's lane for deliveries that are about to be taken from
  // its retry set. Each slot must be used by StartLeased() or given back.
  std::vector<DeliveryNumber> Reserve(const Endpoint& endpoint, int wanted);
  void StartLeased(DeliveryNumber slot, Delivery delivery, int64_t token);
  void GiveBack(uint64_t endpoint, DeliveryNumber slot);
  // Tells whether an endpoint has due retries that found no slot. First attempts then leave half of
  // its slots to them: a busy endpoint's backlog must not starve behind new events.
  void BeginBacklog(const Endpoint& endpoint);
  void EndBacklog(uint64_t endpoint);

  // The soft split. A delivery that still waits for its slot is taken out (true: park it). One in
  // flight goes on without its entry, unresolved until it is told its lease.
  bool WithdrawWaiting(DeliveryNumber number);
  void ReleaseFromEntry(DeliveryNumber number);
  // `token` 0: the lease is not known; then only a success can be recorded.
  void SetLease(DeliveryNumber number, int64_t token);
  // Whose delivery it is; null when it has been decided.
  const Endpoint* EndpointOf(DeliveryNumber number) const;

  // Decides kPark for all that wait for a slot, of one tenure or of all (null).
  void ParkWaiting(const TenurePtr& tenure);
  // Gives up what is in flight under `tenure`: aborts it and decides kPark.
  void ParkInFlight(const TenurePtr& tenure);
  // No first attempt starts any more, and permits are given back as they get free.
  void StopStarting();
  // Whether the endpoint's breaker is known to be open: then nothing but a probe is to start.
  bool IsOpen(uint64_t endpoint) const { return control_.open(endpoint); }
  // Forgets what waits under a tenure that is over.
  void Drop(const TenurePtr& tenure);

  // Shares follow the number of live workers; lanes without work are forgotten.
  void OnCatalogOrWorkers(int live_workers);

  int in_flight() const { return in_flight_; }
  // Deliveries under `tenure`, in flight or waiting.
  int count(const TenurePtr& tenure) const;

 private:
  struct EndpointLane {
    Lane lane;
    LaneControl::Terms terms;  // As the catalog has them.
    bool tell_free = false;    // on_slot_free is posted.
  };
  struct Work {
    Delivery delivery;
    uint64_t entry = 0;  // 0: leased.
    int64_t token = 0;
    bool token_known = false;
    bool waiting = false;
    std::unique_ptr<Attempt> attempt;
    bool decided = false;  // Waits for its lease only.
    Decision decision;
  };

  EndpointLane& LaneOf(const Endpoint& endpoint);
  void Expect(EndpointLane& lane) const;
  // What the lanes may be sent, as LaneControl tells it.
  LaneControl::Events ControlEvents();
  LaneControl::Demand DemandOf(uint64_t endpoint) const;
  void OnPermits(uint64_t endpoint, int permits);
  void OnTokens(uint64_t endpoint, int tokens, int backlog_tokens);
  void OnBreaker(uint64_t endpoint, bool open);
  void StartAttempt(DeliveryNumber number, Work& work);
  void OnOutcome(DeliveryNumber number, AttemptResult result);
  // Decides, and writes the attempt with its decision into the log, which takes the answer over.
  Decision Decide(const Delivery& delivery, AttemptResult& result);
  void LogAttempt(const Delivery& delivery, AttemptResult& result, const Decision& decision);
  void FreeSlot(uint64_t endpoint, DeliveryNumber number);
  void GiveUpInFlight(const std::function<bool(const Work&)>& which);
  void StartWaiting(EndpointLane& lane);
  void TellFree(uint64_t endpoint, EndpointLane& lane);
  void Decided(DeliveryNumber number, Decision decision);
  void ResolveLeased(const Work& work, const Decision& decision);

  EventLoop& loop_;
  Attempts& attempts_;
  Settler& settler_;
  AttemptLog& attempt_log_;
  const StreamBook& streams_;
  const RoomBook& rooms_;
  Random& random_;
  WorkerMetrics& metrics_;
  const Limits limits_;
  const Events events_;
  LaneControl control_;
  std::unordered_map<uint64_t, EndpointLane> lanes_;  // By endpoint number.
  std::unordered_map<DeliveryNumber, Work> deliveries_;
  DeliveryNumber last_number_ = 0;
  int in_flight_ = 0;  // Slots taken, reserved ones included.
  int live_workers_ = 1;
  bool stopped_ = false;
  CallScope scope_;
};

}  // namespace relay

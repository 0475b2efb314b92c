#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/event_loop.h"
#include "relay/log.h"
#include "workers/attempt_log.h"
#include "workers/dispatcher.h"
#include "workers/endpoint_table.h"
#include "workers/held_event.h"
#include "workers/paused_quota.h"
#include "workers/settler.h"
#include "workers/worker_metrics.h"

namespace relay {

// From one stream entry to its deliveries, and back to one settlement.
//
// An entry is settled when the last of its deliveries is decided, or at the latest split_after from
// when it was read (the soft split): what is still in flight then is written into the retry set
// under a lease that outlasts the request, and goes on without the entry; what has not begun is
// parked there, due now. So no endpoint, however slow, keeps an entry or another endpoint waiting.
//
// Entries are settled by the settler under their number here; on_released comes when Redis has
// confirmed it, and the entry's credit is free again.
//
// All references outlive the fan-out. Loop thread only.
class FanOut {
 public:
  struct Limits {
    Millis split_after{2000};
    Millis lease_margin{5000};
  };
  struct Events {
    // An entry is about to be handed to the settler.
    std::function<void(const TenurePtr&)> on_settling;
    std::function<void(const TenurePtr&, const Member&)> on_released;
  };

  FanOut(EventLoop& loop, EndpointTable& table, Dispatcher& dispatcher, Settler& settler,
         PausedQuota& paused_quota, AttemptLog& attempt_log, WorkerMetrics& metrics, Limits limits,
         Events events);

  // `stream`: its note, when it is the start or stop of a push.
  void Take(const HeldEventPtr& held, const StreamNotePtr& stream);
  // An entry that is owed to nobody: a repeat, or one whose payload is gone.
  void TakeRepeat(const HeldEventPtr& held);
  void TakeEmpty(const TenurePtr& tenure, const Member& member);

  void OnFirstDecided(uint64_t entry, const Delivery& delivery, const Decision& decision);
  void OnSettled(const Settler::Settled& settled);

  // Forgets the entries of a tenure that is over.
  void Drop(const TenurePtr& tenure);
  // Entries that are not settled yet.
  int count(const TenurePtr& tenure) const;

 private:
  struct Entry {
    TenurePtr tenure;
    Member member;
    HeldEventPtr held;  // Null for an entry without payload.
    StreamNotePtr stream;
    Settlement settlement;
    std::vector<DeliveryNumber> offered;
    int open = 0;  // Deliveries that are not decided.
    bool sent = false;
    // Deliveries that go on under a lease: their place in settlement.owed.
    std::vector<std::pair<size_t, DeliveryNumber>> leases;
  };

  uint64_t Begin(const TenurePtr& tenure, const Member& member, const HeldEventPtr& held);
  void Owe(Entry& entry, const Endpoint& endpoint, const Decision& decision, int attempts);
  void OweOne(uint64_t number, Entry& entry, const EndpointTable::Match& match,
              const EndpointTable::Owed& owed);
  void Settle(uint64_t number, Entry& entry);
  void Split(uint64_t number, Entry& entry);
  void OnSplitTime();
  void ArmSplit();

  EventLoop& loop_;
  EndpointTable& table_;
  Dispatcher& dispatcher_;
  Settler& settler_;
  PausedQuota& paused_quota_;
  AttemptLog& attempt_log_;
  WorkerMetrics& metrics_;
  const Limits limits_;
  const Events events_;
  std::unordered_map<uint64_t, Entry> entries_;
  uint64_t last_entry_ = 0;
  // Entries in the order of their reading; those that are settled already are passed over.
  std::deque<std::pair<MonoTime, uint64_t>> split_queue_;
  std::unique_ptr<Timer> split_timer_;
};

}  // namespace relay

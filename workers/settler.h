#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_scripts.h"
#include "workers/tenure.h"

namespace relay {

// Writes down what has been decided: entries are settled, leased deliveries resolved. Nothing else
// in a worker releases work.
//
// What is decided in one turn of the loop leaves in one call for each partition and kind, and while
// such a call is on its way more gathers for the next: the busier the worker, the larger the
// batches and the less an event costs Redis.
//
// Every call may be sent twice without harm: it wins only what is still pending, or still leased.
// So when the connection breaks, what was under way is sent again once the same Redis process is
// back; under another process its tenure is over and Drop() forgets it. An entry that owes more
// deliveries than one call should write is settled in chunks, one after the other: the last chunk,
// which acknowledges, leaves only when all before it are known to be written.
//
// All references outlive the settler. Loop thread only.
class Settler final : private TurnEndHook {
 public:
  // Deliveries written by one chunk: keeps a call near 3 ms of Redis.
  static constexpr size_t kChunk = 200;
  static constexpr Millis kRefusedPause{500};

  // What became of an entry's settlement, or of one chunk of it.
  struct Settled {
    uint64_t tag = 0;  // As given to Settle().
    bool won = false;  // False: the entry was no longer pending; somebody has settled it already.
    bool last = true;  // No further chunk follows.
    int64_t redis_now_ms = 0;  // 0 where nothing was owed.
    size_t owed_from = 0;      // The part of `owed` that this call wrote: [from, to).
    size_t owed_to = 0;
  };
  struct Events {
    std::function<void(const Settled&)> on_settled;
    // Redis says that another worker owns the partition.
    std::function<void(const TenurePtr&)> on_stale;
    // The retry sets of this partition have changed; by Redis's clock it was `redis_now_ms`.
    std::function<void(const TenurePtr&, int64_t redis_now_ms)> on_retries_changed;
  };

  Settler(EventLoop& loop, RedisClient& redis, Log& log, Events events);

  // Ends the stay of an entry on the pending list. `tag` comes back with on_settled, unless the
  // tenure is dropped before.
  void Settle(const TenurePtr& tenure, Settlement settlement, uint64_t tag);
  // Ends, or puts off, a leased delivery.
  void Resolve(const TenurePtr& tenure, Resolution resolution);

  // Forgets everything under a tenure that is over.
  void Drop(const TenurePtr& tenure);
  // True when nothing under `tenure` waits or is under way.
  bool idle(const TenurePtr& tenure) const;
  // Entries and deliveries that wait for Redis, all partitions together.
  size_t backlog() const;

 private:
  struct Entry {
    Settlement settlement;
    uint64_t tag = 0;
    size_t owed_from = 0;  // The next chunk begins here.
  };
  enum class Kind { kDone, kSettle, kResolve };
  static constexpr int kKinds = 3;
  // What waits for one kind of call, and the call under way.
  struct Lot {
    std::deque<Entry> entries;
    std::deque<Resolution> resolutions;
    std::vector<Entry> sent_entries;
    std::vector<Resolution> sent_resolutions;
    bool under_way = false;  // Sent, and its answer has not come.
    bool unsent = false;     // Must be sent (again) as it stands.
    size_t singles = 0;      // So many next ones go alone: one among them is refused as malformed.
    size_t waiting() const { return entries.size() + resolutions.size(); }
    size_t sent() const { return sent_entries.size() + sent_resolutions.size(); }
  };
  struct Desk {
    TenurePtr tenure;
    Lot lots[kKinds] = {};
    bool dirty = false;
  };

  void OnTurnEnd() override;
  Desk& DeskOf(const TenurePtr& tenure);
  void MarkDirty(Desk& desk);
  void Flush(Desk& desk);
  void Fill(Kind kind, Lot& lot);
  void Send(Desk& desk, Kind kind);
  void OnReply(const TenurePtr& tenure, Kind kind, const Result<RedisValue>& reply);
  void OnRefused(Desk& desk, Kind kind, const Status& status);
  void OnMalformed(Desk& desk, Kind kind, const Status& status);
  void OnEntriesWon(Desk& desk, Lot& lot, int64_t now_ms, const std::vector<bool>& won);
  void SendAgain();

  EventLoop& loop_;
  RedisClient& redis_;
  Log& log_;
  const Events events_;
  std::map<int, Desk> desks_;  // By partition.
  std::unique_ptr<Timer> pause_timer_;
  CallScope scope_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_scripts.h"
#include "workers/held_event.h"
#include "workers/repeat_window.h"
#include "workers/worker_metrics.h"

namespace relay {

// Brings stream entries into this worker: the only reader of the partitions' streams.
//
// One blocking read at a time covers the streams of all owned partitions, on a connection of its
// own (what is sent behind a blocking read waits for it). It asks for no more than there is credit
// for: entries that were read and not yet released. A partition that has just been taken has its
// pending list adopted before anything new is read, and every kRescanEvery the pending list is
// compared with what is held here, because a former owner that was frozen may have read entries
// after the lease had gone. What is found so is taken only when two looks in a row miss it: the
// first may have overtaken the answer of a read of our own.
//
// Each entry's event id is claimed before it goes on; where another entry holds the claim, it is a
// repeat. An entry that cannot be decoded stays pending, counted and logged: it is neither lost nor
// read in a circle.
//
// All references outlive the consumer. Loop thread only.
class StreamConsumer final : private TurnEndHook {
 public:
  struct Limits {
    int credit = 2000;                 // Entries held.
    int64_t bytes = 64 * 1024 * 1024;  // Bytes of events held at which reading pauses.
    int64_t repeats_per_partition = 125'000;
    Millis command_deadline{2000};
  };
  struct Events {
    std::function<void(const HeldEventPtr&)> on_event;
    std::function<void(const HeldEventPtr&)> on_repeat;
    std::function<void(const TenurePtr&, const Member&)> on_empty;  // The payload is gone.
  };

  static constexpr Millis kBlock{200};
  // While partitions come in one after the other: the next of them waits for the read under way.
  static constexpr Millis kBlockAtFirst{10};
  static constexpr Seconds kAtFirst{2};
  static constexpr int kReadEntriesMax = 256;  // Of all streams together.
  static constexpr int64_t kReadBytes = 4 * 1024 * 1024;
  static constexpr int kPageEntries = 100;   // Of a pending list, with their payloads.
  static constexpr int kLookEntries = 1000;  // Of a pending list, ids only.
  static constexpr Seconds kRescanEvery{5};
  static constexpr Millis kPause{100};  // After a refused read.

  // `redis` for commands, `reader` for the blocking read alone.
  StreamConsumer(EventLoop& loop, RedisClient& redis, RedisClient& reader, Log& log,
                 WorkerMetrics& metrics, Limits limits, Events events);

  // Adopts the pending list of a partition, then reads it.
  void Add(const TenurePtr& tenure);
  // The entry is settled: its credit is free.
  void Release(const TenurePtr& tenure, const Member& member);
  // Forgets a tenure that is over.
  void Drop(const TenurePtr& tenure);
  // True when nothing of a returning tenure can come any more: no read under way may bring entries
  // of it, and no claim is open. Entries that went on are not this one's business.
  bool quiet(const TenurePtr& tenure) const;

  int held() const { return held_entries_; }

 private:
  enum class Stage { kAdopting, kReading };
  struct Desk {
    TenurePtr tenure;
    Stage stage = Stage::kAdopting;
    bool paging = false;  // The pending list is being read, page by page.
    bool page_under_way = false;
    std::string page_after = "0";  // Where the next page begins.
    // While paging in kReading: what the looks have missed. Nothing else is taken then.
    std::unordered_set<std::string> only;
    bool looking = false;  // The ids of the pending list are being looked at.
    std::string look_after;
    std::unordered_map<std::string, size_t> held;  // Member -> bytes of its event.
    std::unordered_set<std::string> undecodable;
    std::unordered_set<std::string> missed;      // Pending and not held, in the last look.
    std::unordered_set<std::string> missed_now;  // The same, in the look under way.
    std::vector<HeldEventPtr> unclaimed;         // Their claims found no connection.
    int claims_open = 0;
    std::unique_ptr<RepeatWindow> window;
  };

  // What is released in one turn makes room for one read.
  void OnTurnEnd() override { Pump(); }
  void Pump();
  void ReadMore();
  int ReadCount(size_t streams) const;
  void OnRead(const Result<RedisValue>& reply);
  void OnReadRefused(const RedisValue& error);
  void NextPage(Desk& desk);
  void OnPage(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void StartLooks();
  void NextLook(Desk& desk);
  void OnLook(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void EndOfLook(Desk& desk);
  void Admit(Desk& desk, StreamEntry entry);
  void Claim(Desk& desk, const HeldEventPtr& held);
  void OnClaimed(const HeldEventPtr& held, const Result<RedisValue>& reply);
  void OnConnectionChange();
  Desk* DeskOf(const TenurePtr& tenure);
  const Desk* DeskOf(const TenurePtr& tenure) const;

  EventLoop& loop_;
  RedisClient& redis_;
  RedisClient& reader_;
  Log& log_;
  WorkerMetrics& metrics_;
  const Limits limits_;
  const Events events_;
  std::map<int, Desk> desks_;       // By partition.
  std::vector<TenurePtr> reading_;  // Whose streams the read under way asks for; empty: none is.
  int held_entries_ = 0;
  int64_t held_bytes_ = 0;
  int64_t entry_bytes_ = 1024;  // What an entry is expected to weigh.
  MonoTime last_added_{};
  size_t first_stream_ = 0;  // Where the next read begins, when it cannot ask for all.
  std::unique_ptr<Timer> pause_timer_;
  std::unique_ptr<Timer> look_timer_;
  CallScope scope_;
};

}  // namespace relay

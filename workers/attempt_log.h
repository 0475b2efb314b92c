#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/attempt_log_record.h"
#include "relay/call_scope.h"
#include "relay/event.h"
#include "relay/event_loop.h"
#include "relay/redis_client.h"
#include "relay/settings.h"
#include "workers/tenure.h"
#include "workers/worker_metrics.h"

namespace relay {

// Writes down for people what each attempt came to: `relayctl events` reads it. Nothing in a worker
// waits for it and nothing depends on it.
//
// Attempts are gathered for kGather and leave in one XADD for each partition and tenant: an attempt
// costs Redis a small share of a command, where a command for each turn of the loop would double
// what a lightly loaded worker asks of it. What a crash takes along is missing from the log and
// nowhere else. Every write is fire and forget. What Redis does not take (it is away, slow, or out
// of memory) is dropped and counted, and never tried again; what waits for Redis is bounded by
// kBytesMax.
//
// A log is bounded three times over. By age: each write trims what is older (MINID, to within one
// node of the stream), and the key expires when nothing has been written for that long. By bytes,
// as Redis counts them: streams can be trimmed by id or by number only, and entries differ in size,
// so now and then Redis is asked how large a log is, and the next write trims it to a number of
// entries that fits. Asking Redis rather than counting here holds the bound over restarts and
// changes of owner, at the cost of being late by an eighth of it. And by Redis's memory as a whole:
// as that becomes scarce logs are held shorter, and while it is tight nothing is written.
//
// All references outlive the log. Loop thread only.
class AttemptLog final {
 public:
  // An entry is closed here and another begun: it fills one node of a stream, so that trimming,
  // which takes whole nodes, is exact to this.
  static constexpr size_t kEntryBytesMax = 4096;
  static constexpr Millis kGather{100};
  // Of entries that are being gathered or on their way to Redis: a fifth of a second of a busy
  // worker's. Beyond it attempts are dropped.
  static constexpr size_t kBytesMax = 4 * 1024 * 1024;
  // Logs of which it is known how large they are and when they expire; about 200 bytes each. When
  // there are more, all is forgotten and asked anew.
  static constexpr size_t kLogsKnownMax = 20'000;

  AttemptLog(EventLoop& loop, RedisClient& redis, WorkerMetrics& metrics,
             const Settings::AttemptLog& settings, int partitions);

  // An attempt of an event that is held under `tenure`. Also when that is over: what has been sent
  // has been sent.
  void Add(const Tenure& tenure, const std::string& tenant, const AttemptLogRecord& record);

  // A delivery that died before anything was sent, and of what.
  void AddUnsent(const Tenure& tenure, const Event& event, uint64_t endpoint, AttemptOutcome why);

  // Writes what has been gathered now: before a partition is given back.
  void Flush();

  // How Redis's memory is. Logs are many, and what one of them holds it holds for days: they must
  // have stopped growing long before events need the room.
  enum class Memory {
    kAmple,
    kScarce,  // Each log is held to an eighth of its bound, from its next writes on.
    kTight,   // Nothing is written.
  };
  void SetMemory(Memory memory) { memory_ = memory; }

 private:
  struct Log {
    int partition = 0;
    std::string tenant;
    std::string key;
    std::string entry;           // Gathered in this turn.
    int attempts = 0;            // In `entry`.
    int64_t growth = 0;          // Bytes written since Redis was asked how large it is.
    int64_t entries_max = 0;     // What the next write trims to; 0: it trims by age.
    MonoTime renew_expiry_at{};  // From then on a write renews the key's expiry.
  };

  int64_t bytes_max() const;
  void Write(Log& log);
  void OnWritten(size_t bytes, int attempts, const Result<RedisValue>& reply);
  void RenewExpiry(Log& log);
  void AskSize(const Log& log);
  void OnEntries(int partition, const std::string& tenant, const Result<RedisValue>& reply);
  void Drop(int attempts);

  EventLoop& loop_;
  RedisClient& redis_;
  WorkerMetrics& metrics_;
  const Settings::AttemptLog settings_;
  const int64_t bytes_max_;  // Of one log: a tenant's share of one partition.
  Memory memory_ = Memory::kAmple;
  size_t bytes_waiting_ = 0;  // Gathered or on their way.
  int64_t size_heard_ = 0;    // From Redis, for the number of entries whose reply follows.
  bool forget_ = false;       // A write failed: what is known of the logs may be wrong.
  // By partition, then by tenant, so that finding one builds no key. References into the inner maps
  // stay until they are cleared.
  std::map<int, std::unordered_map<std::string, Log>> logs_;
  size_t logs_known_ = 0;
  std::vector<Log*> gathering_;   // Those with an entry begun.
  RedisCommand command_{"XADD"};  // Its memory serves the next one.
  const std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/redis_client.h"
#include "relay/redis_dead_letters.h"
#include "workers/dead_letter_archive.h"
#include "workers/dead_letter_drop.h"
#include "workers/tenure.h"
#include "workers/worker_metrics.h"

namespace relay {

// One look at the dead letters of one partition: counts those that are beyond a limit, and drops
// them where it may. First by age, then by bytes.
//
// Weighing the dead letters reads all of them, a page at a time, inside Redis. It is done only
// where the tenants' charges, which count what waits as well and so are never less, are over the
// limit; so it costs nothing while all is well, and a backlog that waits never costs a dead letter.
//
// References outlive it. Destroying it ends it between two calls. Loop thread only.
class DeadLetterLook {
 public:
  struct Parts {
    EventLoop& loop;
    RedisClient& redis;
    WorkerMetrics& metrics;
    DeadLetterArchive* archive;  // As DeadLetterDrop takes them.
    std::function<CatalogPtr()> catalog;
  };
  struct Limits {
    Millis age_max{0};      // Zero: none.
    int64_t bytes_max = 0;  // Of this partition. Zero: none.
    bool may_drop = false;
    bool may_weigh = true;
  };
  struct Report {
    Status status;                      // Why it ended early.
    bool archive_failed = false;        // `status` is the archive's.
    std::optional<int64_t> over_age;    // What is beyond the limit now; absent: not found out.
    std::optional<int64_t> over_bytes;  // As many of the oldest, by the mean size of all.
    bool weighed = false;
    int64_t archived = 0;
    int64_t dropped = 0;
  };
  using Done = std::function<void(const Report&)>;

  DeadLetterLook(const Parts& parts, TenurePtr tenure, const Limits& limits);
  // Calls `done` once, never from inside this call.
  void Start(Done done);

 private:
  using Step = Status (DeadLetterLook::*)(const RedisValue&);

  void Send(const RedisCommand& command, Step step);
  void OnReply(const Result<RedisValue>& reply, Step step);
  Status OnCounters(const RedisValue& reply);
  Status OnTime(const RedisValue& reply);
  Status OnOwing(const RedisValue& reply);
  void CountNext();
  void OnCounted();
  void OnAgeDropped(const DeadLetterDrop::Report& report);
  void ReadCharges();
  Status OnCharges(const RedisValue& reply);
  void WeighNext();
  Status OnWeighed(const RedisValue& reply);
  void OnAllWeighed();
  void OnBytesDropped(const DeadLetterDrop::Report& report);
  void StartDrop(const DeadLetterDrop::Goal& goal, Counter& dropped,
                 void (DeadLetterLook::*then)(const DeadLetterDrop::Report&));
  bool TakeReport(const DeadLetterDrop::Report& report, std::optional<int64_t>& over);
  void Finish(Status status);

  const Parts parts_;
  const TenurePtr tenure_;
  const Limits limits_;
  int64_t now_ms_ = 0;  // By Redis's clock.
  std::vector<uint64_t> endpoints_;
  size_t counted_ = 0;  // Of `endpoints_`.
  int counts_open_ = 0;
  Status count_failed_;
  std::string cursor_;
  int64_t charged_ = 0;
  int weighings_ = 0;   // That have been followed by a drop.
  size_t weighed_ = 0;  // Of `endpoints_`.
  int64_t rank_ = 0;    // In the dead letters of the endpoint being weighed.
  int64_t letters_ = 0;
  int64_t bytes_ = 0;
  std::unique_ptr<DeadLetterDrop> drop_;
  Report report_;
  Done done_;
  std::unique_ptr<Timer> pause_;
  CallScope scope_;
};

}  // namespace relay

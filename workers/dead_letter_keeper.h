#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/settings.h"
#include "workers/dead_letter_archive.h"
#include "workers/dead_letter_look.h"
#include "workers/tenure.h"
#include "workers/worker_metrics.h"

namespace relay {

// Keeps the dead letters of the partitions owned here within the limits of conf's [dlq]: looks at
// one partition after the other, once a minute at each.
//
// What is beyond a limit goes to the archive and then out of Redis, or out of Redis alone where
// conf says "none" in so many words. Without an archive nothing is ever dropped: dead letters stay
// until somebody acts, and the keeper only tells of them, in the log when that changes, in the
// metrics, and in Redis for `relayctl status`.
//
// All references outlive it. Loop thread only.
class DeadLetterKeeper {
 public:
  // Limits are days and gigabytes: a minute more does not matter, and a look at a partition that is
  // within them is a few commands.
  static constexpr std::chrono::minutes kLookEvery{1};
  // Weighing reads every dead letter of a partition.
  static constexpr std::chrono::minutes kWeighEvery{5};
  static constexpr Seconds kTick{5};

  struct Parts {
    EventLoop& loop;
    RedisClient& redis;
    Log& log;
    WorkerMetrics& metrics;
    // Null unless conf names a folder.
    DeadLetterArchive* archive;
    // The catalog in force; for the names of endpoints.
    std::function<CatalogPtr()> catalog;
  };

  DeadLetterKeeper(Parts parts, const Settings::DeadLetters& settings, int partitions);

  void Add(const TenurePtr& tenure);
  void Drop(const TenurePtr& tenure);

 private:
  struct Desk {
    TenurePtr tenure;
    MonoTime next_look{};
    MonoTime next_weighing{};
    int64_t over_age = 0;
    int64_t over_bytes = 0;
    std::optional<std::string> told;  // What Redis has been told of them.
  };

  void OnTick();
  void LookNext();
  void OnLooked(const TenurePtr& tenure, const DeadLetterLook::Report& report);
  void OnArchive(const Status& status);
  void TellRedis(Desk& desk);
  void Show();
  void LogChange();
  Desk* DeskOf(const TenurePtr& tenure);

  const Parts parts_;
  const Settings::DeadLetters settings_;
  const DeadLetterLook::Limits limits_;
  std::map<int, Desk> desks_;  // By partition.
  TenurePtr looked_at_;        // Under which the look runs; null when none does.
  std::unique_ptr<DeadLetterLook> look_;
  int64_t over_age_ = 0;  // Of all desks.
  int64_t over_bytes_ = 0;
  bool told_over_ = false;  // The log has last said that some are beyond a limit.
  bool archive_fails_ = false;
  std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

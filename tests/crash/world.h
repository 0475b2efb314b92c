#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/random.h"
#include "relay/stream_layout.h"
#include "tests/crash/checker.h"
#include "tests/crash/crash_redis.h"
#include "tests/crash/model.h"
#include "tests/crash/owner.h"
#include "tests/support/redis_process.h"

namespace relay {

// What one run does and how it hurts.
struct CrashPlan {
  uint64_t seed = 0;
  bool always = true;  // appendfsync always, else everysec
  bool cut_tail =
      false;  // After a kill up to 60 kB of the log's end are gone: a lost power supply.
  double fail_share = 0;  // So many of the scripts fail half way.
  int kills = 4;
  int steps = 300;  // Between two kills.
  const Spoil* spoil = nullptr;
};
std::string NameOf(const CrashPlan& plan);

struct CrashReport {
  std::vector<std::string> breaches;  // Empty: all went well.
  int kills = 0;
  int64_t accepted = 0, deliveries = 0, duplicates = 0, stale = 0, injected = 0, take_overs = 0;
};

// One random, single-threaded interleaving of a broker and three owners on one partition, with
// Redis killed in between. Every choice comes from the seed (the timing of leases does not: Redis's
// clock is real, so a seed repeats the choices, not the run).
//
// The plan: (1) `steps` actions, the books looked over every hundred; (2) a burst of commands of
// which only some replies are read; (3) kill -9, perhaps a torn log, redis-check-aof, start;
// (4) the books again, by fsck and by plain commands; (5) once more from (1); (6) at last the
// backlog is drained through the index alone, and each accepted event must have been delivered,
// be dead, or have been thrown away on request, at each of its endpoints.
class CrashWorld {
 public:
  explicit CrashWorld(const CrashPlan& plan);
  CrashReport Run();

 private:
  // How much of the log stood on disk when events below `number` had been acknowledged.
  struct Mark {
    int64_t log_bytes = 0;
    int number = 0;
  };
  void Step();
  void Store();
  void Burst();
  void KillAndRestart();
  void PushMark();
  // Waits until Redis has written all it has acknowledged; with everysec and a slow disk it holds
  // up to two seconds back, which a kill takes away.
  void AwaitWritten();
  void ForgetAcknowledgedAfter(int64_t log_bytes);
  void LookOverBooks(const std::string& when);
  void Mend();
  void End();
  CrashOwner& AnyOwner() { return *owners_[random_.Below(owners_.size())]; }

  const CrashPlan plan_;
  Random random_;
  RedisProcess process_;
  const PartitionKeys keys_;
  CrashRedis redis_;
  Model model_;
  std::vector<std::unique_ptr<CrashOwner>> owners_;
  std::vector<Mark> marks_;
  int next_number_ = 0;
  CrashReport report_;
};

}  // namespace relay

#include "cli/paced_run.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include "cli/progress.h"
#include "cli/table.h"

namespace relay {
namespace {

// Batches a second at a low rate: often enough to look even, seldom enough to cost nothing.
constexpr int64_t kBatchesPerSecond = 20;
// What was missed while Redis was slow is not caught up with beyond this.
constexpr Millis kCatchUpMax{100};

}  // namespace

PacedRun::PacedRun(RedisSession& session, int64_t per_s)
    : session_(session), per_s_(per_s), next_at_(session.loop().clock().Now()) {
  for (const int number : {SIGINT, SIGTERM}) {
    session_.loop().OnSignal(number, [interrupted = interrupted_, &loop = session_.loop()] {
      *interrupted = true;
      loop.Stop();
    });
  }
}

int64_t PacedRun::BatchOf(int64_t page) const {
  return per_s_ == 0 ? page : std::clamp<int64_t>(per_s_ / kBatchesPerSecond, 1, page);
}

bool PacedRun::Await(int64_t deliveries) {
  if (per_s_ > 0) {
    SystemLoop& loop = session_.loop();
    bool due = loop.clock().Now() >= next_at_;
    const auto timer = loop.NewTimer([&] {
      due = true;
      loop.Stop();
    });
    if (!due) timer->Arm(std::chrono::duration_cast<Micros>(next_at_ - loop.clock().Now()));
    session_.RunUntil([&] { return due || *interrupted_; });
    next_at_ =
        std::max(next_at_, loop.clock().Now() - kCatchUpMax) +
        std::chrono::duration_cast<MonoTime::duration>(Micros(deliveries * 1'000'000 / per_s_));
  }
  return !*interrupted_;
}

bool MayThrowAway(int64_t count, const char* what) {
  std::fprintf(stderr, "throw away %s %s for good? [y/N] ", WithThousands(count).c_str(), what);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace relay

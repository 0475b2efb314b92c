#include "cli/dead_letter_run.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "cli/progress.h"

namespace relay {
namespace {

// Batches a second at a low rate: often enough to look even, seldom enough to cost nothing.
constexpr int64_t kBatchesPerSecond = 20;
// What was missed while Redis was slow is not caught up with beyond this.
constexpr Millis kCatchUpMax{100};

}  // namespace

DeadLetterRun::DeadLetterRun(RedisSession& session, CatalogPtr catalog, DeadLetterFilter filter,
                             int64_t per_s)
    : session_(session),
      catalog_(std::move(catalog)),
      filter_(std::move(filter)),
      per_s_(per_s),
      next_at_(session.loop().clock().Now()) {
  for (const int number : {SIGINT, SIGTERM}) {
    session_.loop().OnSignal(number, [interrupted = interrupted_, &loop = session_.loop()] {
      *interrupted = true;
      loop.Stop();
    });
  }
}

Result<int64_t> DeadLetterRun::Count() {
  return DeadLetterWalk(session_, catalog_, filter_).Count();
}

Status DeadLetterRun::Do(const Call& call, const CountOf& count_of, int64_t total) {
  done_ = 0;
  Progress progress(session_.loop().clock(), "dead letters", total);
  const int64_t batch =
      per_s_ == 0 ? DeadLetterWalk::kPage
                  : std::clamp<int64_t>(per_s_ / kBatchesPerSecond, 1, DeadLetterWalk::kPage);
  return DeadLetterWalk(session_, catalog_, filter_)
      .Run([&](const std::vector<DeadLetter>& letters) -> Result<int64_t> {
        int64_t taken_out = 0;
        for (std::span<const DeadLetter> rest(letters); !rest.empty();) {
          const auto some = rest.first(std::min<size_t>(rest.size(), static_cast<size_t>(batch)));
          if (!Await(static_cast<int64_t>(some.size()))) return Status::Cancelled("interrupted");
          const Result<int64_t> moved = DoBatch(some, call, count_of);
          if (!moved.ok()) return moved.status();
          taken_out += *moved;
          progress.Update(done_ += *moved);
          rest = rest.subspan(some.size());
        }
        return taken_out;
      });
}

Result<int64_t> DeadLetterRun::DoBatch(std::span<const DeadLetter> letters, const Call& call,
                                       const CountOf& count_of) {
  std::vector<Member> members;
  for (const DeadLetter& letter : letters) members.push_back(letter.member);
  const DeadLetter& first = letters.front();
  const Result<RedisValue> reply = session_.RunAsOwner(
      *first.partition, [&](const OwnerToken& owner) { return call(first, owner, members); });
  if (!reply.ok()) return reply.status();
  return count_of(*reply);
}

bool DeadLetterRun::Await(int64_t letters) {
  if (per_s_ > 0) {
    SystemLoop& loop = session_.loop();
    bool due = loop.clock().Now() >= next_at_;
    const auto timer = loop.NewTimer([&] {
      due = true;
      loop.Stop();
    });
    if (!due) timer->Arm(std::chrono::duration_cast<Micros>(next_at_ - loop.clock().Now()));
    session_.RunUntil([&] { return due || *interrupted_; });
    next_at_ = std::max(next_at_, loop.clock().Now() - kCatchUpMax) +
               std::chrono::duration_cast<MonoTime::duration>(Micros(letters * 1'000'000 / per_s_));
  }
  return !*interrupted_;
}

}  // namespace relay

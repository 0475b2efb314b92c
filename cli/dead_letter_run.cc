#include "cli/dead_letter_run.h"

#include <algorithm>
#include <utility>

#include "cli/progress.h"

namespace relay {

DeadLetterRun::DeadLetterRun(RedisSession& session, CatalogPtr catalog, DeadLetterFilter filter,
                             int64_t per_s)
    : session_(session),
      catalog_(std::move(catalog)),
      filter_(std::move(filter)),
      pace_(session, per_s) {}

Result<int64_t> DeadLetterRun::Count() {
  return DeadLetterWalk(session_, catalog_, filter_).Count();
}

Status DeadLetterRun::Do(const Call& call, const CountOf& count_of, int64_t total) {
  done_ = 0;
  Progress progress(session_.loop().clock(), "dead letters", total);
  const int64_t batch = pace_.BatchOf(DeadLetterWalk::kPage);
  return DeadLetterWalk(session_, catalog_, filter_)
      .Run([&](const std::vector<DeadLetter>& letters) -> Result<int64_t> {
        int64_t taken_out = 0;
        for (std::span<const DeadLetter> rest(letters); !rest.empty();) {
          const auto some = rest.first(std::min<size_t>(rest.size(), static_cast<size_t>(batch)));
          if (!pace_.Await(static_cast<int64_t>(some.size())))
            return Status::Cancelled("interrupted");
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

}  // namespace relay

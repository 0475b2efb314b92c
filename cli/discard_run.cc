#include "cli/discard_run.h"

#include <algorithm>

#include "cli/progress.h"
#include "relay/redis_upkeep.h"

namespace relay {

Result<int64_t> DiscardRun::Count() {
  std::vector<RedisCommand> commands;
  for (const PartitionKeys& keys : session_.partitions()) {
    commands.push_back(RedisCommand("ZCARD").Arg(keys.Retries(endpoint_)));
  }
  const Result<std::vector<RedisValue>> counts = session_.AskAll(commands);
  if (!counts.ok()) return counts.status();
  waiting_.clear();
  total_ = 0;
  for (const RedisValue& count : *counts) {
    waiting_.push_back(count.integer);
    total_ += count.integer;
  }
  return total_;
}

Status DiscardRun::Do() {
  done_ = 0;
  Progress progress(session_.loop().clock(), "deliveries", total_);
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const PartitionKeys& keys = session_.partitions()[i];
    int64_t rest = waiting_[i];
    while (rest > 0) {
      const int64_t batch = std::min(rest, pace_.BatchOf(kPurgeMax));
      if (!pace_.Await(batch)) return Status::Cancelled("interrupted");
      const Result<RedisValue> reply = session_.RunAsOwner(keys, [&](const OwnerToken& owner) {
        return Purge(keys, owner, endpoint_, tenant_, PurgeScope::kRetries,
                     static_cast<int>(batch));
      });
      if (!reply.ok()) return reply.status();
      const Result<PurgeReply> purge = ParsePurge(*reply);
      if (!purge.ok()) return purge.status();
      const auto dropped = static_cast<int64_t>(purge->dropped.size());
      progress.Update(done_ += dropped);
      rest = dropped < batch ? 0 : rest - batch;
    }
  }
  return Status::Ok();
}

}  // namespace relay

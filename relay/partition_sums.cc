#include "relay/partition_sums.h"

#include <utility>

#include "relay/check.h"
#include "relay/script_reply.h"

namespace relay {

void PartitionSums::Start(const Commands& commands, size_t width, Done done) {
  RELAY_CHECK(!busy() && width > 0);
  width_ = width;
  failure_ = Status::Ok();
  done_ = std::move(done);
  for (const PartitionKeys& keys : partitions_) {
    const std::vector<RedisCommand> asked = commands(keys);
    RELAY_CHECK(!asked.empty());
    sums_.assign(asked.size() * width, 0);
    for (size_t i = 0; i < asked.size(); ++i) {
      ++replies_due_;
      redis_.Send(asked[i], scope_, [this, place = i * width](const Result<RedisValue>& reply) {
        OnReply(place, reply);
      });
    }
  }
}

void PartitionSums::OnReply(size_t place, const Result<RedisValue>& reply) {
  if (!reply.ok()) {
    failure_ = reply.status();
  } else if (!Add(place, *reply)) {
    failure_ = Status::Unavailable("not the numbers asked for: " + DebugString(*reply));
  }
  if (--replies_due_ > 0) return;
  std::exchange(done_, nullptr)(failure_.ok() ? Result<std::vector<int64_t>>(std::move(sums_))
                                              : Result<std::vector<int64_t>>(failure_));
}

bool PartitionSums::Add(size_t place, const RedisValue& reply) {
  if (reply.is_integer() && width_ == 1) {
    sums_[place] += reply.integer;
    return true;
  }
  if (!reply.is_array() || reply.items.size() != width_) return false;
  for (size_t i = 0; i < width_; ++i) {
    sums_[place + i] += static_cast<int64_t>(NumberOr(reply.items[i], 0));
  }
  return true;
}

}  // namespace relay

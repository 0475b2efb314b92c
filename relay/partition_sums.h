#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "relay/call_scope.h"
#include "relay/redis_client.h"
#include "relay/stream_layout.h"

namespace relay {

// Asks every partition the same and adds up the numbers that they answer: for what an installation
// counts in each partition by itself. One round at a time.
//
// `redis` outlives it. Loop thread only.
class PartitionSums {
 public:
  // The commands for one partition: each partition is asked as many, in the same order.
  using Commands = std::function<std::vector<RedisCommand>(const PartitionKeys&)>;
  // The sums of the commands' numbers, one command after the other. Not OK when a partition did not
  // answer, or not in numbers: half an answer says too little.
  using Done = std::function<void(const Result<std::vector<int64_t>>&)>;

  PartitionSums(RedisClient& redis, int partitions)
      : redis_(redis), partitions_(AllPartitionKeys(partitions)) {}

  // Each command is answered by `width` numbers: one of them, or an array, in which what is missing
  // counts as 0. `done` is not called from inside. Requires: not busy(), and at least one command.
  void Start(const Commands& commands, size_t width, Done done);
  bool busy() const { return replies_due_ > 0; }

 private:
  void OnReply(size_t place, const Result<RedisValue>& reply);
  bool Add(size_t place, const RedisValue& reply);

  RedisClient& redis_;
  const std::vector<PartitionKeys> partitions_;

  // Of the round that is under way.
  size_t width_ = 1;
  std::vector<int64_t> sums_;
  size_t replies_due_ = 0;
  Status failure_;
  Done done_;
  CallScope scope_;
};

}  // namespace relay

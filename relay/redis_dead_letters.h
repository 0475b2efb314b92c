#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/redis_scripts.h"

namespace relay {

// Looking at the dead letters of a partition, endpoint by endpoint, the oldest first. Nothing here
// changes anything; PurgeMembers() of redis_upkeep.h is what drops them. The error codes of
// redis_scripts.h hold here as well.

constexpr int kWeighMax = 200;

// How many of an endpoint's dead letters died until `until_ms` (included, by Redis's clock).
RedisCommand CountDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t until_ms);

// Of those the oldest `count`, after `skipped` of them.
RedisCommand ListDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t until_ms,
                             int64_t skipped, int64_t count);
struct DeadMember {
  Member member;
  int64_t died_ms = 0;
};
Result<std::vector<DeadMember>> ParseDeadMembers(const RedisValue& reply);

// The history of a delivery (relay/attempt_record.h), and of how many deliveries its event is left.
RedisCommand ReadHistory(const PartitionKeys& keys, const Member& member, uint64_t endpoint);
RedisCommand ReadOwed(const PartitionKeys& keys, const Member& member);

// What dead letters of an endpoint hold in Redis, in bytes of bodies: of up to `count` <= kWeighMax
// of them from `rank` on, the oldest first, fewer where bodies are large. An event is shared evenly
// by all that it is owed to, so one that is dead at several endpoints counts once; the sum over a
// partition is never more than what its tenants are charged.
ScriptCall WeighDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t rank, int count);
struct WeighReply {
  int64_t letters = 0;  // Looked at; zero: there are none from `rank` on.
  int64_t bytes = 0;
};
Result<WeighReply> ParseWeigh(const RedisValue& reply);

// A page of what the partition's tenants are charged ("0" first).
RedisCommand ScanCharges(const PartitionKeys& keys, std::string_view cursor, int count);
struct ChargesPage {
  std::string cursor;  // "0": done.
  int64_t bytes = 0;   // A tenant may come twice.
};
Result<ChargesPage> ParseChargesPage(const RedisValue& reply);

}  // namespace relay

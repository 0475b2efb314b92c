#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/redis_scripts.h"

namespace relay {

// Ownership of partitions: a lease by Redis's clock with an epoch that grows at every change of
// owner and never falls. A lapsed lease alone refuses nothing (nobody else owns the partition yet);
// what refuses is another owner's token in `own`.

// Takes the partition when it is free, its lease has lapsed, or `boot` owns it already.
ScriptCall TakeOwnership(const PartitionKeys& keys, const std::string& boot, Millis lease);
ScriptCall RenewOwnership(const PartitionKeys& keys, const OwnerToken& owner, Millis lease);
ScriptCall GiveBackOwnership(const PartitionKeys& keys, const OwnerToken& owner);
struct OwnReply {
  bool won = false;
  uint64_t epoch = 0;  // Ours when won, else the present owner's (0: nobody's yet).
  Millis left{0};      // What is left of the lease.
};
Result<OwnReply> ParseOwn(const RedisValue& reply);
// GET own, for operators' commands that act under the present owner's token.
RedisCommand ReadOwner(const PartitionKeys& keys);
struct OwnerRecord {
  OwnerToken token;
  int64_t deadline_ms = 0;  // By Redis's clock; 0: given back.
};
// Empty when nobody ever owned the partition.
Result<std::optional<OwnerRecord>> ParseOwner(const RedisValue& reply);

// Says that a worker lives (`member` is "<boot> <name>") and forgets those silent for `silence`.
ScriptCall Heartbeat(const std::string& member, Millis silence);
// The same without `member` living on: at shutdown.
ScriptCall Farewell(const std::string& member, Millis silence);
// The live workers' members, sorted.
Result<std::vector<std::string>> ParseHeartbeat(const RedisValue& reply);

}  // namespace relay

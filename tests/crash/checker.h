#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/stream_layout.h"
#include "tests/crash/crash_redis.h"

namespace relay {

// A look at the partition with plain commands, which shares no code with the scripts and does not
// trust `eps`. Returns a sentence for each breach.
//
// Not `exact` (between a script's failure and the next sweep): only what protects from loss: every
// delivery has its payload, `ref` is not below the deliveries, no retry is hidden from the index.
std::vector<std::string> LookOver(CrashRedis& redis, const PartitionKeys& keys, bool exact);

// The same partition through the fsck script.
std::vector<std::string> RunFsck(CrashRedis& redis, const PartitionKeys& keys);

// Event number and endpoint of everything among the dead letters.
std::set<std::pair<int, uint64_t>> DeadLettersOf(CrashRedis& redis, const PartitionKeys& keys);

}  // namespace relay

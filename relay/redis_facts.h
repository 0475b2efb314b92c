#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/readiness_problem.h"
#include "relay/redis_value.h"
#include "relay/settings.h"
#include "relay/status.h"

namespace relay {

// What a Redis server says of itself, as far as the promise depends on it.
struct RedisFacts {
  std::string run_id;
  int64_t uptime_s = 0;
  bool master = false;
  bool cluster = false;
  bool loading = false;
  // Memory in bytes; maxmemory 0 means no limit.
  int64_t used_memory = 0;
  int64_t maxmemory = 0;
  std::string maxmemory_policy;
  bool aof = false;
  bool aof_write_ok = false;           // The last write of the AOF.
  bool aof_rewrite_ok = false;         // The last rewrite of the AOF; true before the first.
  bool aof_rewrite_under_way = false;  // Or waiting for its turn.
  // Both empty where the server does not let us read its configuration.
  std::string appendfsync;
  std::string aof_load_truncated;
};

// Sections of INFO that ParseRedisFacts() needs.
inline constexpr std::string_view kFactSections[] = {"server", "memory", "persistence",
                                                     "replication", "cluster"};

// Reads the reply to INFO. InvalidArgument when a field that every Redis 7 has is missing.
Result<RedisFacts> ParseRedisFacts(std::string_view info);
// Adds the reply to CONFIG GET; an error reply leaves those fields empty.
void AddConfiguration(const RedisValue& reply, RedisFacts& facts);

// What is wrong with such a server when conf asks for `durability`; empty when events are as safe
// in it as conf says. The rewrite that a server with a torn tail needs is RedisSafety's matter.
std::vector<ReadinessProblem> JudgeRedis(const RedisFacts& facts, Durability durability);

}  // namespace relay

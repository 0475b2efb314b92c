#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/chaos/scene.h"
#include "tests/support/redis_process.h"
#include "tests/support/sync_redis.h"

namespace relay {

// What a running Redis says of itself, for the accounts of the benchmark. Abandons the scene when
// Redis does not answer.
class RedisView {
 public:
  RedisView(Scene& scene, const RedisProcess& redis);

  // Entries in the streams of all partitions.
  int64_t Entries();
  int64_t Length(const std::string& stream);
  // Names and values of the first entry in the streams: what an event is made of. 0 when there is
  // none.
  int64_t BytesOfAnEntry();
  // The length of a list.
  int64_t ListLength(const std::string& key);
  // A number of INFO <section>: "used_memory".
  int64_t Info(const std::string& section, const std::string& name);
  // Calls of each command and script so far, by name as INFO commandstats has it.
  std::map<std::string, int64_t> Calls();

 private:
  RedisValue Ask(const RedisCommand& command);

  Scene& scene_;
  SyncRedis redis_;
};

}  // namespace relay

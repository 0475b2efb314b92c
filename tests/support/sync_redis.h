#pragma once

#include <memory>
#include <span>
#include <string>

#include "relay/c_handle.h"
#include "relay/clock.h"
#include "relay/redis_client.h"
#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"

struct redisContext;
extern "C" void redisFree(redisContext*);

namespace relay {

// A blocking connection to Redis, for tests: ask, and have the answer. Errors of Redis are values;
// a Status means that there was no reply, and from then on every call fails until Connect().
class SyncRedis {
 public:
  explicit SyncRedis(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // Connects, or connects anew. Replies not read yet are forgotten.
  Status Connect();

  Result<RedisValue> Command(const RedisCommand& command);
  // EVALSHA; loads the script and asks again when Redis does not know it.
  Result<RedisValue> Eval(const RedisScript& script, std::span<const std::string> keys,
                          std::span<const std::string> args);

  // Pipelining: Append() queues, Flush() writes without reading, NextReply() writes and reads one.
  void Append(const RedisCommand& command);
  Status Flush();
  Result<RedisValue> NextReply();

 private:
  Status Broken() const;

  std::string socket_path_;
  std::unique_ptr<redisContext, FreeWith<redisFree>> redis_;
};

}  // namespace relay

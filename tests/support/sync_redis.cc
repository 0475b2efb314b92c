#include "tests/support/sync_redis.h"

#include <hiredis/hiredis.h>

namespace relay {

namespace {

constexpr timeval kDeadline{20, 0};

using ReplyPtr = std::unique_ptr<void, FreeWith<freeReplyObject>>;

RedisValue ToValue(const redisReply& reply) {
  const std::string_view text(reply.str, reply.len);
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return RedisValue::Integer(reply.integer);
    case REDIS_REPLY_STRING:
      return RedisValue::Text(text);
    case REDIS_REPLY_STATUS:
      return RedisValue::StatusReply(text);
    case REDIS_REPLY_ERROR:
      return RedisValue::Error(text);
    case REDIS_REPLY_ARRAY: {
      std::vector<RedisValue> items;
      items.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) items.push_back(ToValue(*reply.element[i]));
      return RedisValue::Array(std::move(items));
    }
    default:
      return RedisValue::Nil();
  }
}

RedisCommand Evalsha(const RedisScript& script, std::span<const std::string> keys,
                     std::span<const std::string> args) {
  RedisCommand command("EVALSHA");
  command.Arg(script.sha1).Arg(static_cast<int64_t>(keys.size()));
  for (const std::string& key : keys) command.Arg(key);
  for (const std::string& arg : args) command.Arg(arg);
  return command;
}

}  // namespace

Status SyncRedis::Connect() {
  redis_.reset(redisConnectUnixWithTimeout(socket_path_.c_str(), kDeadline));
  if (!redis_ || redis_->err) return Broken();
  redisSetTimeout(redis_.get(), kDeadline);
  return Status::Ok();
}

Status SyncRedis::Broken() const {
  return Status::Unavailable(redis_ && redis_->err ? redis_->errstr : "not connected");
}

Result<RedisValue> SyncRedis::Command(const RedisCommand& command) {
  Append(command);
  return NextReply();
}

Result<RedisValue> SyncRedis::Eval(const RedisScript& script, std::span<const std::string> keys,
                                   std::span<const std::string> args) {
  const RedisCommand evalsha = Evalsha(script, keys, args);
  Result<RedisValue> reply = Command(evalsha);
  if (!reply.ok() || !reply->is_error("NOSCRIPT")) return reply;
  Result<RedisValue> loaded = Command(RedisCommand("SCRIPT").Arg("LOAD").Arg(script.text));
  if (!loaded.ok() || loaded->is_error()) return loaded;
  return Command(evalsha);
}

void SyncRedis::Append(const RedisCommand& command) {
  if (!redis_ || redis_->err) return;
  const std::string bytes = command.Head() + command.body();
  redisAppendFormattedCommand(redis_.get(), bytes.data(), bytes.size());
}

Status SyncRedis::Flush() {
  if (!redis_ || redis_->err) return Broken();
  int done = 0;
  while (!done) {
    if (redisBufferWrite(redis_.get(), &done) != REDIS_OK) return Broken();
  }
  return Status::Ok();
}

Result<RedisValue> SyncRedis::NextReply() {
  if (!redis_ || redis_->err) return Broken();
  void* raw = nullptr;
  if (redisGetReply(redis_.get(), &raw) != REDIS_OK) return Broken();
  const ReplyPtr reply(raw);
  return ToValue(*static_cast<const redisReply*>(raw));
}

}  // namespace relay

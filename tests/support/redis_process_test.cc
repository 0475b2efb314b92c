#include "tests/support/redis_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/sync_redis.h"

namespace relay {
namespace {

RedisValue Ask(SyncRedis& redis, const RedisCommand& command) {
  Result<RedisValue> reply = redis.Command(command);
  EXPECT_TRUE(reply.ok()) << reply.status().ToString();
  return reply.ok() ? *reply : RedisValue::Error("no reply");
}

TEST(RedisProcessTest, WhatWasWrittenSurvivesAKill) {
  RedisProcess process;
  ASSERT_TRUE(process.Start().ok());
  SyncRedis redis(process.socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  EXPECT_EQ(Ask(redis, RedisCommand("SET").Arg("k").Arg("v")), RedisValue::StatusReply("OK"));
  process.Kill9();
  EXPECT_FALSE(redis.Command(RedisCommand("PING")).ok());
  const Status started = process.Start();
  ASSERT_TRUE(started.ok()) << started.ToString();
  ASSERT_TRUE(redis.Connect().ok());
  EXPECT_EQ(Ask(redis, RedisCommand("GET").Arg("k")), RedisValue::Text("v"));
}

// conf/redis.conf says `aof-load-truncated no`: without the repair such a server would not start.
// With everysec a write waits while a sync is under way: the file's tail would be the one before.
TEST(RedisProcessTest, ATornTailIsCutBeforeTheStart) {
  RedisProcess process({.appendfsync = "always"});
  ASSERT_TRUE(process.Start().ok());
  SyncRedis redis(process.socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  Ask(redis, RedisCommand("SET").Arg("whole").Arg("1"));
  Ask(redis, RedisCommand("SET").Arg("torn").Arg("1"));
  process.Kill9();
  const std::string aof = process.aof_path();
  ASSERT_FALSE(aof.empty());
  ASSERT_EQ(truncate(aof.c_str(), static_cast<off_t>(std::filesystem::file_size(aof)) - 3), 0);
  const Status started = process.Start();
  ASSERT_TRUE(started.ok()) << started.ToString();
  ASSERT_TRUE(redis.Connect().ok());
  EXPECT_EQ(Ask(redis, RedisCommand("EXISTS").Arg("whole").Arg("torn")), RedisValue::Integer(1));
}

TEST(RedisProcessTest, AServerWithoutDataRestarts) {
  RedisProcess process;
  ASSERT_TRUE(process.Start().ok());
  const Status started = process.Restart();
  EXPECT_TRUE(started.ok()) << started.ToString();
}

TEST(RedisProcessTest, AServerThatCannotStartSaysWhy) {
  RedisProcess::Options options;
  options.lines = {"no-such-directive 1"};
  RedisProcess process(options);
  const Status started = process.Start();
  EXPECT_FALSE(started.ok());
  EXPECT_NE(started.text().find("no-such-directive"), std::string::npos);
}

TEST(SyncRedisTest, RepliesOfAPipelineComeInOrder) {
  RedisProcess process;
  ASSERT_TRUE(process.Start().ok());
  SyncRedis redis(process.socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  for (int64_t i = 0; i < 100; ++i) redis.Append(RedisCommand("INCRBY").Arg("n").Arg(1));
  ASSERT_TRUE(redis.Flush().ok());
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(*redis.NextReply(), RedisValue::Integer(i + 1));
}

TEST(SyncRedisTest, AScriptThatRedisForgotIsLoadedAgain) {
  RedisProcess process;
  ASSERT_TRUE(process.Start().ok());
  SyncRedis redis(process.socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  const RedisScript script = RedisScript::Make("echo", "return {KEYS[1], ARGV[1]}");
  const std::vector<std::string> keys = {"k"};
  const std::vector<std::string> args = {"a"};
  const RedisValue expected = RedisValue::Array({RedisValue::Text("k"), RedisValue::Text("a")});
  EXPECT_EQ(*redis.Eval(script, keys, args), expected);
  Ask(redis, RedisCommand("SCRIPT").Arg("FLUSH"));
  EXPECT_EQ(*redis.Eval(script, keys, args), expected);
}

}  // namespace
}  // namespace relay

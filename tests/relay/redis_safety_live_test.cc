// RedisSafety against a real redis-server: that the fields it reads are the fields there are.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/redis_connection.h"
#include "relay/redis_safety.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"
#include "tests/support/sync_redis.h"

namespace relay {
namespace {

class LiveRedisSafetyTest : public ::testing::Test {
 protected:
  void Start(RedisProcess::Options options) {
    process_.emplace(std::move(options));
    const Status started = process_->Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
    RedisConnectionOptions connection;
    connection.name = "test";
    connection.address = process_->address();
    auto made = RedisConnection::Create(loop_, connection, random_, *log_, metrics_);
    ASSERT_TRUE(made.ok());
    redis_ = *std::move(made);
    safety_.emplace(loop_, *redis_, Durability::kAlways);
  }
  bool RunUntilTold(const std::string& word) {
    return RunUntil(loop_, [&] {
      return safety_->problems().size() == 1 && safety_->problems()[0].word == word;
    });
  }

  SystemLoop loop_;
  Random random_{7};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  std::optional<RedisProcess> process_;
  std::unique_ptr<RedisConnection> redis_;
  std::optional<RedisSafety> safety_;
};

TEST_F(LiveRedisSafetyTest, TheShippedConfIsSafe) {
  Start({.appendfsync = "always"});
  ASSERT_TRUE(RunUntil(loop_, [this] { return safety_->safe(); }));
  EXPECT_EQ(safety_->facts()->maxmemory, 256 * 1024 * 1024);
  EXPECT_GT(safety_->facts()->used_memory, 0);
  EXPECT_EQ(safety_->facts()->run_id, redis_->run_id());
}

TEST_F(LiveRedisSafetyTest, TheFixThatItGivesIsOne) {
  Start({.appendfsync = "everysec"});
  ASSERT_TRUE(RunUntilTold("appendfsync"));
  SyncRedis other(process_->socket_path());
  ASSERT_TRUE(other.Connect().ok());
  ASSERT_TRUE(
      other.Command(RedisCommand("CONFIG").Arg("SET").Arg("appendfsync").Arg("always")).ok());
  EXPECT_TRUE(RunUntil(loop_, [this] { return safety_->safe(); }));
}

TEST_F(LiveRedisSafetyTest, EvictionIsFound) {
  Start({.appendfsync = "always", .lines = {"maxmemory-policy allkeys-lru"}});
  EXPECT_TRUE(RunUntilTold("maxmemory_policy"));
}

TEST_F(LiveRedisSafetyTest, ATruncatingServerBecomesSafeAfterItsRewrite) {
  Start({.appendfsync = "always", .lines = {"aof-load-truncated yes"}});
  const std::string first_file = process_->aof_path();
  ASSERT_TRUE(RunUntil(loop_, [this] { return safety_->safe(); }));
  EXPECT_NE(process_->aof_path(), first_file);
}

}  // namespace
}  // namespace relay

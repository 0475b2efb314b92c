#include "relay/redis_safety.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RedisSafetyTest : public ::testing::Test {
 protected:
  RedisSafetyTest() {
    redis_.On("INFO", [this](const FakeRedisCall&) { return RedisValue::Text(Info()); });
    redis_.On("CONFIG", [this](const FakeRedisCall&) { return Configuration(); });
    redis_.On("GET", [this](const FakeRedisCall&) { return marker_; });
    redis_.On("SET", [this](const FakeRedisCall& call) {
      marker_ = RedisValue::Text(call.args[1]);
      return RedisValue::StatusReply("OK");
    });
    redis_.On("BGREWRITEAOF", RedisValue::StatusReply("started"));
  }

  std::string Info() const {
    std::string text = "# Some section\r\n";
    for (const auto& [name, value] : info_) text += name + ":" + value + "\r\n";
    return text;
  }
  RedisValue Configuration() const {
    if (appendfsync_.empty()) return RedisValue::Error("NOPERM no");
    return RedisValue::Array({RedisValue::Text("appendfsync"), RedisValue::Text(appendfsync_),
                              RedisValue::Text("aof-load-truncated"),
                              RedisValue::Text(load_truncated_)});
  }
  void Check(Durability durability = Durability::kAlways) {
    safety_.emplace(loop_, redis_, durability);
    loop_.RunReady();
  }
  std::vector<std::string> Words() const {
    std::vector<std::string> out;
    for (const ReadinessProblem& problem : safety_->problems()) out.push_back(problem.word);
    return out;
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  // A server on the shipped conf/redis.conf.
  std::map<std::string, std::string> info_ = {
      {"run_id", "run-1"},
      {"uptime_in_seconds", "12"},
      {"role", "master"},
      {"loading", "0"},
      {"used_memory", "250"},
      {"maxmemory", "1000"},
      {"maxmemory_policy", "noeviction"},
      {"aof_enabled", "1"},
      {"aof_last_write_status", "ok"},
      {"aof_last_bgrewrite_status", "ok"},
      {"aof_rewrite_in_progress", "0"},
      {"aof_rewrite_scheduled", "0"},
      {"cluster_enabled", "0"},
  };
  std::string appendfsync_ = "always";
  std::string load_truncated_ = "no";
  RedisValue marker_;
  std::optional<RedisSafety> safety_;
  CallScope scope_;
};

TEST_F(RedisSafetyTest, AServerOnTheShippedConfIsSafe) {
  Check();
  EXPECT_TRUE(safety_->safe());
  EXPECT_EQ(safety_->memory_share(), 0.25);
  EXPECT_EQ(safety_->facts()->uptime_s, 12);
  EXPECT_EQ(redis_.CountOf("BGREWRITEAOF"), 0);
}

TEST_F(RedisSafetyTest, NothingIsSafeBeforeItHasBeenChecked) {
  safety_.emplace(loop_, redis_, Durability::kAlways);
  EXPECT_THAT(Words(), ElementsAre("redis_unchecked"));
}

TEST_F(RedisSafetyTest, EvictionIsAProblemWithTheCommandThatEndsIt) {
  info_["maxmemory_policy"] = "allkeys-lru";
  Check();
  ASSERT_THAT(Words(), ElementsAre("maxmemory_policy"));
  EXPECT_THAT(safety_->problems()[0].fix,
              HasSubstr("redis-cli CONFIG SET maxmemory-policy noeviction"));
  info_["maxmemory_policy"] = "noeviction";
  loop_.Advance(RedisSafety::kIntervalInTrouble);
  EXPECT_TRUE(safety_->safe());
}

TEST_F(RedisSafetyTest, FsyncMayBeStricterThanConfAsksButNotWeaker) {
  appendfsync_ = "everysec";
  Check(Durability::kAlways);
  EXPECT_THAT(Words(), ElementsAre("appendfsync"));
  Check(Durability::kEverysec);
  EXPECT_TRUE(safety_->safe());
  appendfsync_ = "always";
  Check(Durability::kEverysec);
  EXPECT_TRUE(safety_->safe());
  appendfsync_ = "no";
  Check(Durability::kEverysec);
  EXPECT_THAT(Words(), ElementsAre("appendfsync"));
  Check(Durability::kNone);
  EXPECT_TRUE(safety_->safe());
}

TEST_F(RedisSafetyTest, AnAppendOnlyFileIsAskedForUnlessConfDoesWithout) {
  info_["aof_enabled"] = "0";
  Check(Durability::kEverysec);
  EXPECT_THAT(Words(), ElementsAre("aof_off"));
  Check(Durability::kNone);
  EXPECT_TRUE(safety_->safe());
}

TEST_F(RedisSafetyTest, EveryTroubleOfTheServerIsNamed) {
  info_["aof_last_write_status"] = "err";
  info_["role"] = "slave";
  info_["loading"] = "1";
  info_["cluster_enabled"] = "1";
  Check();
  EXPECT_THAT(Words(), ElementsAre("loading", "not_master", "cluster_mode", "aof_write_failed"));
}

TEST_F(RedisSafetyTest, AServerThatHidesItsConfigurationIsJudgedByInfoAlone) {
  appendfsync_ = "";
  Check();
  EXPECT_TRUE(safety_->safe());
}

TEST_F(RedisSafetyTest, AnInfoThatLacksAFieldIsNotTrusted) {
  info_.erase("role");
  Check();
  ASSERT_THAT(Words(), ElementsAre("redis_unknown"));
  EXPECT_THAT(safety_->problems()[0].sentence, HasSubstr("role"));
}

TEST_F(RedisSafetyTest, ALostConnectionIsUnsafeAtOnceAndIsCheckedAnewAfterwards) {
  Check();
  int changes = 0;
  safety_->WatchProblems(scope_, [&changes] { ++changes; });
  redis_.TakeDown();
  loop_.RunReady();
  EXPECT_THAT(Words(), ElementsAre("redis_away"));
  info_["run_id"] = "run-2";
  redis_.BringUp("run-2");
  loop_.RunReady();
  EXPECT_TRUE(safety_->safe());
  EXPECT_EQ(changes, 2);
}

TEST_F(RedisSafetyTest, ATruncatingServerIsRewrittenOnceAfterItsStart) {
  load_truncated_ = "yes";
  Check();
  EXPECT_THAT(Words(), ElementsAre("rewrite_pending"));
  EXPECT_EQ(redis_.CountOf("BGREWRITEAOF"), 1);
  info_["aof_rewrite_in_progress"] = "1";
  loop_.Advance(std::chrono::seconds(2));
  EXPECT_THAT(Words(), ElementsAre("rewrite_pending"));
  info_["aof_rewrite_in_progress"] = "0";
  loop_.Advance(std::chrono::seconds(2));
  EXPECT_TRUE(safety_->safe());
  EXPECT_EQ(redis_.CountOf("BGREWRITEAOF"), 1);
  EXPECT_EQ(marker_, RedisValue::Text("run-1"));
}

TEST_F(RedisSafetyTest, ARewriteThatAnotherProcessAskedForIsNotAskedForAgain) {
  load_truncated_ = "yes";
  marker_ = RedisValue::Text("run-1");
  Check();
  EXPECT_TRUE(safety_->safe());
  EXPECT_EQ(redis_.CountOf("BGREWRITEAOF"), 0);
}

TEST_F(RedisSafetyTest, AMarkerOfAnEarlierStartDoesNotCount) {
  load_truncated_ = "yes";
  marker_ = RedisValue::Text("run-0");
  Check();
  EXPECT_THAT(Words(), ElementsAre("rewrite_pending"));
  EXPECT_EQ(redis_.CountOf("BGREWRITEAOF"), 1);
}

// A full Redis refuses the marker (SET), and must all the same come to be ready: workers free it.
TEST_F(RedisSafetyTest, ARefusedMarkerDoesNotHoldReadinessBack) {
  load_truncated_ = "yes";
  redis_.On("SET", RedisValue::Error("OOM command not allowed"));
  Check();
  EXPECT_THAT(Words(), ElementsAre("rewrite_pending"));
  loop_.Advance(RedisSafety::kIntervalInTrouble);
  EXPECT_TRUE(safety_->safe());
}

// Between two looks a provider may fill more than what is left above the line.
TEST_F(RedisSafetyTest, MemoryThatRunsShortIsLookedAtMoreOften) {
  Check();
  safety_->WatchMemoryFrom(0.5);
  info_["used_memory"] = "499";
  loop_.Advance(RedisSafety::kInterval);
  const int before = redis_.CountOf("INFO");
  info_["used_memory"] = "900";
  loop_.Advance(RedisSafety::kInterval - RedisSafety::kIntervalInTrouble);
  EXPECT_EQ(redis_.CountOf("INFO"), before);
  loop_.Advance(RedisSafety::kIntervalInTrouble);
  EXPECT_EQ(safety_->memory_share(), 0.9);
  info_["used_memory"] = "950";
  loop_.Advance(RedisSafety::kIntervalInTrouble);
  EXPECT_EQ(safety_->memory_share(), 0.95);
  EXPECT_TRUE(safety_->safe());
}

TEST_F(RedisSafetyTest, AFailedRewriteIsAskedForAgain) {
  load_truncated_ = "yes";
  info_["aof_last_bgrewrite_status"] = "err";
  Check();
  loop_.Advance(RedisSafety::kIntervalInTrouble);
  EXPECT_THAT(Words(), ElementsAre("rewrite_pending"));
  EXPECT_GE(redis_.CountOf("BGREWRITEAOF"), 2);
}

}  // namespace
}  // namespace relay

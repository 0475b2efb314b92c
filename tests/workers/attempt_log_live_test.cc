// The attempt log's bounds, held on a real Redis.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/redis_connection.h"
#include "relay/redis_scripts.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"
#include "workers/attempt_log.h"

namespace relay {
namespace {

class AttemptLogLiveTest : public testing::Test {
 protected:
  AttemptLogLiveTest() {
    const Status started = process_.Start();
    EXPECT_TRUE(started.ok()) << started.ToString();
    RedisConnectionOptions options;
    options.name = "test";
    options.address = process_.address();
    redis_ = std::move(RedisConnection::Create(loop_, options, random_, *log_, metrics_)).value();
    EXPECT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
    tenure_.keys = PartitionKeys::For(0, 1);
    key_ = tenure_.keys.AttemptLog("acme");
  }
  RedisValue Ask(const RedisCommand& command) {
    std::optional<Result<RedisValue>> out;
    redis_->Send(command, scope_, [&out](Result<RedisValue> reply) { out = std::move(reply); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out && out->ok() ? **out : RedisValue();
  }
  int64_t Size() {
    return Ask(RedisCommand("MEMORY").Arg("USAGE").Arg(key_).Arg("SAMPLES").Arg("0")).integer;
  }
  // So many attempts written together, and the replies to that.
  void Turn(AttemptLog& log, int attempts, size_t answer_bytes) {
    for (int i = 0; i < attempts; ++i) {
      AttemptLogRecord record;
      record.event_id = "0123456789abcdef0123456789abcdef";
      record.attempt = ++made_;
      record.at_ms = MillisSinceEpoch(loop_.clock().WallNow());
      record.outcome = AttemptOutcome::kRejected;
      record.fate = AttemptFate::kRetry;
      record.answer.assign(answer_bytes, 'a');
      log.Add(tenure_, "acme", record);
    }
    log.Flush();
    Ask(RedisCommand("PING"));
  }

  RedisProcess process_;
  SystemLoop loop_;
  Random random_{3};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  WorkerMetrics worker_metrics_{metrics_};
  std::unique_ptr<RedisConnection> redis_;
  Settings::AttemptLog settings_;
  Tenure tenure_;
  std::string key_;
  int made_ = 0;
  CallScope scope_;
};

TEST_F(AttemptLogLiveTest, BytesStayWithinTheirBoundAndTheNewestAttemptsStay) {
  settings_.bytes_max = 128 * 1024;
  AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
  int64_t largest = 0;
  // First many small attempts, then some large ones among them, then large ones alone.
  for (int turn = 0; turn < 360; ++turn) {
    const bool large = turn >= 240 || (turn >= 120 && turn % 7 == 0);
    Turn(log, large ? 3 : 40, large ? 1024 : 0);
    largest = std::max(largest, Size());
  }
  EXPECT_LE(largest, settings_.bytes_max + 2 * int64_t{AttemptLog::kEntryBytesMax});
  EXPECT_GE(Size(), settings_.bytes_max / 2) << "trimmed more than the bound asks for";

  const RedisValue newest =
      Ask(RedisCommand("XREVRANGE").Arg(key_).Arg("+").Arg("-").Arg("COUNT").Arg("1"));
  ASSERT_EQ(newest.items.size(), 1u);
  const auto records = DecodeAttempts(newest.items[0].items[1].items[1].text);
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(records->back().attempt, made_);
  EXPECT_EQ(worker_metrics_.attempts_not_logged.Value(), 0);
}

TEST_F(AttemptLogLiveTest, ALogThatAnotherOwnerLeftTooLargeIsTrimmed) {
  settings_.bytes_max = 1024 * 1024;
  {
    AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
    for (int turn = 0; turn < 50; ++turn) Turn(log, 12, 1024);
  }
  ASSERT_GT(Size(), 500'000);
  settings_.bytes_max = 128 * 1024;
  AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
  for (int turn = 0; turn < 10; ++turn) Turn(log, 1, 1024);
  EXPECT_LE(Size(), settings_.bytes_max);
}

TEST_F(AttemptLogLiveTest, WhatIsOlderThanTheBoundIsTrimmedToOneNode) {
  settings_.age_max = std::chrono::minutes(1);
  // Written two minutes ago: whole nodes of it go, the one that is trimmed last may stay.
  for (int i = 0; i < 50; ++i) {
    const int64_t ms = MillisSinceEpoch(loop_.clock().WallNow()) - 120'000 + i;
    Ask(RedisCommand("XADD")
            .Arg(key_)
            .Arg(std::to_string(ms) + "-1")
            .Arg(kAttemptsField)
            .Arg(std::string(3000, 'x')));
  }
  AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
  for (int turn = 0; turn < 4; ++turn) Turn(log, 3, 1024);
  EXPECT_LE(Ask(RedisCommand("XLEN").Arg(key_)).integer, 6);
}

TEST_F(AttemptLogLiveTest, TheKeyOfAnIdleTenantExpires) {
  AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
  Turn(log, 1, 10);
  const int64_t left_ms = Ask(RedisCommand("PTTL").Arg(key_)).integer;
  EXPECT_GE(left_ms, settings_.age_max.count());
  EXPECT_LE(left_ms, settings_.age_max.count() * 17 / 16);
}

TEST_F(AttemptLogLiveTest, AFullRedisRefusesTheLogAndItIsCounted) {
  Ask(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory").Arg("1"));
  AttemptLog log(loop_, *redis_, worker_metrics_, settings_, 1);
  Turn(log, 5, 10);
  EXPECT_EQ(worker_metrics_.attempts_not_logged.Value(), 5);
  EXPECT_EQ(worker_metrics_.attempts_logged.Value(), 0);
}

}  // namespace
}  // namespace relay

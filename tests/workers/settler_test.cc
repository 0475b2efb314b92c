#include "workers/settler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TenurePtr MakeTenure(int partition, const std::string& run_id) {
  return std::make_shared<Tenure>(Tenure{.partition = partition,
                                         .keys = PartitionKeys::For(partition, 4),
                                         .owner = {1, "boot1"},
                                         .run_id = run_id});
}

Settlement Done(int n) {
  Settlement settlement;
  settlement.member = Member(EventClass::kNormal, std::to_string(n) + "-0");
  settlement.tenant = "acme";
  settlement.accepted = 3;
  return settlement;
}

Settlement Owing(int n, int owed) {
  Settlement settlement = Done(n);
  for (int i = 1; i <= owed; ++i) {
    settlement.owed.push_back({.endpoint = static_cast<uint64_t>(i), .record = {}});
  }
  return settlement;
}

class SettlerTest : public ::testing::Test {
 protected:
  static RedisValue Ones(size_t count) {
    return RedisValue::Array(std::vector<RedisValue>(count, RedisValue::Integer(1)));
  }
  static RedisValue WonAt(int64_t now_ms, size_t count) {
    return RedisValue::Array({RedisValue::Integer(now_ms), Ones(count)});
  }
  std::vector<uint64_t> Tags() const {
    std::vector<uint64_t> tags;
    for (const Settler::Settled& settled : settled_) tags.push_back(settled.tag);
    std::sort(tags.begin(), tags.end());
    return tags;
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  std::unique_ptr<Log> log_ = Log::Silent();
  std::vector<Settler::Settled> settled_;
  std::vector<TenurePtr> stale_;
  TenurePtr tenure_ = MakeTenure(0, "run-1");
  Settler settler_{loop_,
                   redis_,
                   *log_,
                   {.on_settled = [this](const Settler::Settled& s) { settled_.push_back(s); },
                    .on_stale = [this](const TenurePtr& tenure) { stale_.push_back(tenure); },
                    .on_retries_changed = [](const TenurePtr&, int64_t) {}}};
};

TEST_F(SettlerTest, WhatIsDecidedInOneTurnLeavesInOneCallAPartition) {
  const TenurePtr other = MakeTenure(1, "run-1");
  for (int i = 0; i < 50; ++i) settler_.Settle(tenure_, Done(i), static_cast<uint64_t>(i));
  settler_.Settle(other, Done(99), 99);
  EXPECT_THAT(redis_.calls(), IsEmpty());
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("done"), 2);
  redis_.Answer(Ones(50));
  redis_.Answer(Ones(1));
  loop_.RunReady();
  EXPECT_THAT(settled_, SizeIs(51));
  EXPECT_TRUE(settler_.idle(tenure_));
}

TEST_F(SettlerTest, WhileACallIsUnderWayMoreGathersForTheNext) {
  settler_.Settle(tenure_, Done(1), 1);
  loop_.RunReady();
  for (int i = 2; i < 300; ++i) {
    settler_.Settle(tenure_, Done(i), static_cast<uint64_t>(i));
    loop_.RunReady();
  }
  EXPECT_EQ(redis_.CountOf("done"), 1);
  redis_.Answer(Ones(1));
  loop_.RunReady();
  ASSERT_EQ(redis_.CountOf("done"), 2);
  EXPECT_THAT(redis_.Oldest().args, SizeIs(1 + 3 * kSettleEntriesMax));
}

TEST_F(SettlerTest, LostRepliesAreAskedForAgainUnderTheSameRedis) {
  settler_.Settle(tenure_, Done(1), 1);
  settler_.Resolve(tenure_,
                   {.member = Done(2).member, .endpoint = 7, .record = {}, .tenant = "acme"});
  loop_.RunReady();
  redis_.TakeDown();
  loop_.RunReady();
  EXPECT_THAT(settled_, IsEmpty());
  EXPECT_FALSE(settler_.idle(tenure_));
  redis_.ForgetCalls();
  redis_.BringUp("run-1");
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("done"), 1);
  EXPECT_EQ(redis_.CountOf("resolve"), 1);
  redis_.Answer(RedisValue::Array({RedisValue::Integer(0)}));  // It had been done the first time.
  redis_.Answer(WonAt(1000, 1));
  loop_.RunReady();
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_FALSE(settled_[0].won);
  EXPECT_TRUE(settled_[0].last);
  EXPECT_TRUE(settler_.idle(tenure_));
}

TEST_F(SettlerTest, NothingIsSentToAnotherRedisProcess) {
  settler_.Settle(tenure_, Done(1), 1);
  loop_.RunReady();
  redis_.TakeDown();
  loop_.RunReady();
  redis_.ForgetCalls();
  redis_.BringUp("run-2");
  loop_.Advance(Seconds(5));
  EXPECT_THAT(redis_.calls(), IsEmpty());
  tenure_->over = true;
  settler_.Drop(tenure_);
  EXPECT_EQ(settler_.backlog(), 0u);
  EXPECT_THAT(settled_, IsEmpty());
}

TEST_F(SettlerTest, ARefusingRedisIsAskedAgainAfterAPause) {
  settler_.Settle(tenure_, Done(1), 1);
  loop_.RunReady();
  redis_.Answer(RedisValue::Error("BUSY a script is running"));
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("done"), 1);
  loop_.Advance(Settler::kRefusedPause);
  EXPECT_EQ(redis_.CountOf("done"), 2);
}

TEST_F(SettlerTest, AStaleTokenIsReportedAndSentNoMore) {
  settler_.Settle(tenure_, Done(1), 1);
  loop_.RunReady();
  redis_.Answer(RedisValue::Error("STALE"));
  loop_.RunReady();
  EXPECT_THAT(stale_, ElementsAre(tenure_));
  settler_.Drop(tenure_);
  loop_.Advance(Seconds(5));
  EXPECT_EQ(redis_.CountOf("done"), 1);
}

// A chunk that is not known to be written must not be followed by the one that acknowledges.
TEST_F(SettlerTest, ALargeFanOutIsSettledChunkByChunk) {
  settler_.Settle(tenure_, Owing(1, 450), 1);
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("settle"), 1);
  redis_.Answer(WonAt(1000, 1));
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("settle"), 2);
  redis_.Answer(WonAt(2000, 1));
  loop_.RunReady();
  redis_.Answer(WonAt(3000, 1));
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("settle"), 3);
  ASSERT_THAT(settled_, SizeIs(3));
  EXPECT_FALSE(settled_[0].last);
  EXPECT_EQ(settled_[1].owed_from, 200u);
  EXPECT_EQ(settled_[1].owed_to, 400u);
  EXPECT_EQ(settled_[1].redis_now_ms, 2000);
  EXPECT_TRUE(settled_[2].last);
  EXPECT_TRUE(settler_.idle(tenure_));
}

TEST_F(SettlerTest, AChunkThatLosesEndsTheEntry) {
  settler_.Settle(tenure_, Owing(1, 450), 1);
  loop_.RunReady();
  redis_.Answer(
      RedisValue::Array({RedisValue::Integer(1000), RedisValue::Array({RedisValue::Integer(0)})}));
  loop_.RunReady();
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_TRUE(settled_[0].last);
  EXPECT_FALSE(settled_[0].won);
  EXPECT_EQ(redis_.CountOf("settle"), 1);
}

// One entry that a script refuses must not keep the others of its batch.
TEST_F(SettlerTest, AMalformedEntryIsFoundAndLeftOut) {
  redis_.On("done", [](const FakeRedisCall& call) -> Result<RedisValue> {
    if (std::find(call.args.begin(), call.args.end(), "n2-0") != call.args.end()) {
      return RedisValue::Error("BADARG entry");
    }
    return Ones((call.args.size() - 1) / 3);
  });
  for (int i = 1; i <= 4; ++i) settler_.Settle(tenure_, Done(i), static_cast<uint64_t>(i));
  loop_.RunReady();
  EXPECT_THAT(Tags(), ElementsAre(1u, 3u, 4u));
  EXPECT_TRUE(settler_.idle(tenure_));
}

TEST_F(SettlerTest, NothingIsTakenForATenureThatIsOver) {
  tenure_->over = true;
  settler_.Settle(tenure_, Done(1), 1);
  loop_.RunReady();
  EXPECT_THAT(redis_.calls(), IsEmpty());
}

}  // namespace
}  // namespace relay

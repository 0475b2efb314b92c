#include "relay/partition_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::ElementsAre;

class PartitionSumsTest : public testing::Test {
 protected:
  // Two commands a partition, of `width` numbers each.
  void Ask(size_t width) {
    answer_.reset();
    const auto commands = [](const PartitionKeys& keys) {
      return std::vector<RedisCommand>{RedisCommand("ZCARD").Arg(keys.Retries(1)),
                                       RedisCommand("ZCARD").Arg(keys.Retries(2))};
    };
    sums_.Start(commands, width,
                [this](const Result<std::vector<int64_t>>& sums) { answer_ = sums; });
  }
  void Reply(Result<RedisValue> reply) {
    redis_.Answer(std::move(reply));
    loop_.RunReady();
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  PartitionSums sums_{redis_, 2};
  std::optional<Result<std::vector<int64_t>>> answer_;
};

TEST_F(PartitionSumsTest, AddsUpEachCommandOverAllPartitions) {
  Ask(1);
  for (const int64_t number : {1, 20, 300, 4000}) {
    EXPECT_TRUE(sums_.busy());
    EXPECT_FALSE(answer_.has_value());
    Reply(RedisValue::Integer(number));
  }
  ASSERT_TRUE(answer_ && answer_->ok());
  EXPECT_THAT(**answer_, ElementsAre(301, 4020));
  EXPECT_FALSE(sums_.busy());
}

TEST_F(PartitionSumsTest, InAnArrayWhatIsMissingCountsAsNothing) {
  Ask(2);
  for (int i = 0; i < 4; ++i) {
    Reply(RedisValue::Array({RedisValue::Text("7"), RedisValue::Nil()}));
  }
  ASSERT_TRUE(answer_ && answer_->ok());
  EXPECT_THAT(**answer_, ElementsAre(14, 0, 14, 0));
}

TEST_F(PartitionSumsTest, HalfAnAnswerIsNoneAndTheNextRoundBeginsAnew) {
  Ask(1);
  Reply(RedisValue::Integer(5));
  Reply(RedisValue::Error("LOADING"));
  Reply(Status::Unavailable("away"));
  Reply(RedisValue::Integer(5));
  ASSERT_TRUE(answer_.has_value());
  EXPECT_FALSE(answer_->ok());
  Ask(1);
  for (int i = 0; i < 4; ++i) Reply(RedisValue::Integer(1));
  ASSERT_TRUE(answer_ && answer_->ok());
  EXPECT_THAT(**answer_, ElementsAre(2, 2));
}

}  // namespace
}  // namespace relay

#include "broker/refusal_log.h"

#include <gtest/gtest.h>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

class RefusalLogTest : public testing::Test {
 protected:
  void Note(int times) {
    for (int i = 0; i < times; ++i) log_.Note("demo", "forged", "wrong key", 403, "10.0.0.9");
  }
  double Skipped() {
    return metrics_
        .GetCounter("relay_refusals_not_kept_total",
                    "Refusals that `relayctl refused` does not show, because there were too many "
                    "in a second or Redis was away")
        .Value();
  }

  SimulatedLoop loop_;
  Metrics metrics_;
  FakeRedis redis_{loop_};
  RefusalLog log_{loop_.clock(), redis_, metrics_};
};

TEST_F(RefusalLogTest, CountsWhatItDoesNotWrite) {
  Note(RefusalLog::kPerSecondMax + 7);
  EXPECT_EQ(redis_.CountOf("XADD"), RefusalLog::kPerSecondMax);
  EXPECT_EQ(Skipped(), 7);
  loop_.Advance(Seconds(1));
  Note(1);
  EXPECT_EQ(redis_.CountOf("XADD"), RefusalLog::kPerSecondMax + 1);
}

TEST_F(RefusalLogTest, KeepsOnlyTheLast) {
  Note(1);
  const std::vector<std::string>& args = redis_.calls().front().args;
  EXPECT_EQ(args[1], "MAXLEN");
  EXPECT_EQ(args[2], "100");
}

TEST_F(RefusalLogTest, WritesNothingWhileRedisIsAway) {
  redis_.TakeDown();
  Note(3);
  EXPECT_TRUE(redis_.calls().empty());
  EXPECT_EQ(Skipped(), 3);
}

TEST_F(RefusalLogTest, DoesNotMindAnErrorOfRedis) {
  redis_.On("XADD", RedisValue::Error("OOM command not allowed"));
  Note(1);
  loop_.RunReady();
  Note(1);
  EXPECT_EQ(redis_.CountOf("XADD"), 2);
}

}  // namespace
}  // namespace relay

#include "tests/support/fake_redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FakeRedisTest : public ::testing::Test {
 protected:
  void Send(const RedisCommand& command) {
    redis_.Send(command, scope_, [this](Result<RedisValue> reply) {
      replies_.push_back(reply.ok() ? DebugString(*reply) : reply.status().ToString());
    });
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  std::vector<std::string> replies_;
  CallScope scope_;
};

TEST_F(FakeRedisTest, AnAnswerComesWithTheLoopAndNotBefore) {
  Send(RedisCommand("GET").Arg("k"));
  EXPECT_EQ(redis_.Oldest().verb, "GET");
  EXPECT_THAT(redis_.Oldest().args, ElementsAre("k"));
  redis_.Answer(RedisValue::Text("v"));
  EXPECT_THAT(replies_, IsEmpty());
  loop_.RunReady();
  EXPECT_THAT(replies_, ElementsAre("v"));
}

TEST_F(FakeRedisTest, AStandingAnswerWaitsBehindAnUnansweredCall) {
  redis_.On("PING", RedisValue::StatusReply("PONG"));
  Send(RedisCommand("GET").Arg("k"));
  Send(RedisCommand("PING"));
  loop_.RunReady();
  EXPECT_THAT(replies_, IsEmpty());
  redis_.Answer(RedisValue::Nil());
  loop_.RunReady();
  EXPECT_THAT(replies_, ElementsAre("(nil)", "PONG"));
}

TEST_F(FakeRedisTest, ABrokenConnectionLosesTheReplyOfWhatWasDone) {
  int done = 0;
  redis_.On("INCR", [&done](const FakeRedisCall&) { return RedisValue::Integer(++done); });
  Send(RedisCommand("INCR").Arg("n"));
  redis_.TakeDown();
  loop_.RunReady();
  EXPECT_EQ(done, 1);
  EXPECT_THAT(replies_, ElementsAre("unavailable: connection broken"));
}

TEST_F(FakeRedisTest, WatchersLearnOfEachChange) {
  int changes = 0;
  redis_.WatchState(scope_, [&changes] { ++changes; });
  redis_.TakeDown();
  loop_.RunReady();
  EXPECT_FALSE(redis_.up());
  redis_.BringUp("run-2");
  loop_.RunReady();
  EXPECT_TRUE(redis_.up());
  EXPECT_EQ(redis_.run_id(), "run-2");
  EXPECT_EQ(changes, 2);
}

TEST_F(FakeRedisTest, NothingComesBackOnceTheScopeIsGone) {
  Send(RedisCommand("PING"));
  redis_.Answer(RedisValue::StatusReply("PONG"));
  scope_.CancelAll();
  loop_.RunReady();
  EXPECT_THAT(replies_, IsEmpty());
}

}  // namespace
}  // namespace relay

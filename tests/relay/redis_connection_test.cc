#include "relay/redis_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_until.h"
#include "tests/support/scripted_redis.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RedisConnectionTest : public ::testing::Test {
 protected:
  void Connect(Millis deadline = Millis(5000)) {
    RedisConnectionOptions options;
    options.name = "test";
    options.address = server_.address();
    options.command_deadline = deadline;
    options.scripts = {&script_};
    auto made = RedisConnection::Create(loop_, options, random_, *log_, metrics_);
    ASSERT_TRUE(made.ok());
    redis_ = *std::move(made);
  }
  void ConnectAndWait(Millis deadline = Millis(5000)) {
    Connect(deadline);
    // Until the change is told, too: a test that counts changes must not meet this one.
    CallScope scope;
    bool told = false;
    redis_->WatchState(scope, [&told] { told = true; });
    ASSERT_TRUE(RunUntil(loop_, [this, &told] { return told && redis_->up(); }));
  }
  RedisClient::OnReply Keep() {
    return [this](Result<RedisValue> reply) {
      replies_.push_back(reply.ok() ? DebugString(*reply) : reply.status().ToString());
    };
  }
  void Send(const RedisCommand& command) { redis_->Send(command, scope_, Keep()); }
  bool RunUntilReplies(size_t count) {
    return RunUntil(loop_, [this, count] { return replies_.size() >= count; });
  }

  // Echoes the second argument as a status; "SILENT" is not answered.
  std::string Answer(const std::vector<std::string>& args) {
    if (custom_) return custom_(args);
    return args[0] == "SILENT" ? "" : "+" + args.back() + "\r\n";
  }

  SystemLoop loop_;
  Random random_{7};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  RedisScript script_ = RedisScript::Make("one", "return 1");
  ScriptedRedis::Responder custom_;
  ScriptedRedis server_{loop_, [this](const auto& args) { return Answer(args); }};
  std::unique_ptr<RedisConnection> redis_;
  std::vector<std::string> replies_;
  CallScope scope_;
};

TEST_F(RedisConnectionTest, ItIsUpOnceTheOpeningCommandsAreAnswered) {
  Connect();
  int changes = 0;
  redis_->WatchState(scope_, [&changes] { ++changes; });
  EXPECT_FALSE(redis_->up());
  ASSERT_TRUE(RunUntil(loop_, [&] { return changes == 1; }));
  EXPECT_TRUE(redis_->up());
  EXPECT_EQ(redis_->run_id(), "scripted");
  EXPECT_THAT(metrics_.Text(), HasSubstr("relay_redis_up{connection=\"test\"} 1"));
}

TEST_F(RedisConnectionTest, RepliesComeInTheOrderOfTheCommands) {
  ConnectAndWait();
  for (const char* word : {"a", "b", "c"}) Send(RedisCommand("ECHO").Arg(word));
  EXPECT_THAT(replies_, IsEmpty());
  ASSERT_TRUE(RunUntilReplies(3));
  EXPECT_THAT(replies_, ElementsAre("a", "b", "c"));
}

TEST_F(RedisConnectionTest, EveryShapeOfReplyIsUnderstoodInPieces) {
  custom_ = [](const auto&) { return ""; };
  ConnectAndWait();
  RedisValue got;
  redis_->Send(RedisCommand("X"), scope_, [&got](Result<RedisValue> reply) { got = *reply; });
  const std::string bytes =
      "*6\r\n:-42\r\n$-1\r\n*-1\r\n*2\r\n$4\r\na\r\nb\r\n*0\r\n+st\r\n-ERR no\r\n";
  for (const char byte : bytes) {
    EXPECT_TRUE(got.is_nil());
    server_.Say(std::string(1, byte));
    const size_t left = redis_->unanswered();
    RunUntil(loop_, [turn = 0, left]() mutable { return ++turn > 2 || left == 0; });
  }
  ASSERT_TRUE(RunUntil(loop_, [&got] { return !got.is_nil(); }));
  const RedisValue expected =
      RedisValue::Array({RedisValue::Integer(-42), RedisValue::Nil(), RedisValue::Nil(),
                         RedisValue::Array({RedisValue::Text("a\r\nb"), RedisValue::Array({})}),
                         RedisValue::StatusReply("st"), RedisValue::Error("ERR no")});
  EXPECT_EQ(got, expected);
}

TEST_F(RedisConnectionTest, AReplyThatIsNoRespBreaksTheConnectionAndItComesBack) {
  custom_ = [](const auto& args) { return args[0] == "BAD" ? "?nonsense\r\n" : "+fine\r\n"; };
  ConnectAndWait();
  Send(RedisCommand("BAD"));
  Send(RedisCommand("GOOD"));
  ASSERT_TRUE(RunUntilReplies(2));
  EXPECT_THAT(replies_, ElementsAre(HasSubstr("unavailable: reply not understood"),
                                    HasSubstr("unavailable: reply not understood")));
  ASSERT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
  EXPECT_EQ(server_.accepted(), 2);
}

TEST_F(RedisConnectionTest, AReplyNobodyAskedForBreaksTheConnection) {
  ConnectAndWait();
  server_.Say("+surprise\r\n");
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->up(); }));
  EXPECT_THAT(redis_->last_error(), HasSubstr("reply without a command"));
}

TEST_F(RedisConnectionTest, ALateAnswerFailsTheOldestByDeadlineAndTheOthersAsUnavailable) {
  ConnectAndWait(Millis(60));
  Send(RedisCommand("SILENT"));
  Send(RedisCommand("SILENT"));
  ASSERT_TRUE(RunUntilReplies(2));
  EXPECT_THAT(replies_[0], HasSubstr("deadline"));
  EXPECT_THAT(replies_[1], HasSubstr("unavailable"));
}

TEST_F(RedisConnectionTest, ACommandWithItsOwnDeadlineMayWaitLonger) {
  ConnectAndWait(Millis(60));
  redis_->SendWithDeadline(RedisCommand("SILENT"), Millis(20000), scope_, Keep());
  const MonoTime end = loop_.clock().Now() + Millis(200);
  RunUntil(loop_, [this, end] { return loop_.clock().Now() >= end; });
  EXPECT_TRUE(redis_->up());
  EXPECT_THAT(replies_, IsEmpty());
  server_.Say("+woken\r\n");
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_, ElementsAre("woken"));
}

TEST_F(RedisConnectionTest, AShortDeadlineBehindALongOneIsStillMet) {
  ConnectAndWait(Millis(60));
  redis_->SendWithDeadline(RedisCommand("SILENT"), Millis(20000), scope_, Keep());
  Send(RedisCommand("SILENT"));
  server_.Say("");
  RunUntil(loop_, [turn = 0]() mutable { return ++turn > 5; });
  server_.Say("+woken\r\n");
  ASSERT_TRUE(RunUntilReplies(2));
  EXPECT_THAT(replies_, ElementsAre("woken", HasSubstr("deadline")));
}

TEST_F(RedisConnectionTest, WhatIsSentWhileItIsDownFailsLaterAndIsNotQueued) {
  Connect();
  Send(RedisCommand("ECHO").Arg("a"));
  EXPECT_THAT(replies_, IsEmpty());
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_, ElementsAre(HasSubstr("unavailable: not connected")));
}

TEST_F(RedisConnectionTest, AClosedConnectionFailsWhatWaitsAndIsMadeAnew) {
  ConnectAndWait();
  int changes = 0;
  redis_->WatchState(scope_, [&changes] { ++changes; });
  Send(RedisCommand("SILENT"));
  RunUntil(loop_, [turn = 0]() mutable { return ++turn > 3; });
  server_.HangUp();
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_, ElementsAre(HasSubstr("unavailable")));
  ASSERT_TRUE(RunUntil(loop_, [&] { return changes == 2 && redis_->up(); }));
  EXPECT_EQ(server_.accepted(), 2);
}

TEST_F(RedisConnectionTest, AServerThatSaysNothingIsGivenUpAfterTheDeadline) {
  server_.set_silent(true);
  Connect(Millis(50));
  ASSERT_TRUE(RunUntil(loop_, [this] { return server_.accepted() >= 2; }));
  EXPECT_FALSE(redis_->up());
  server_.set_silent(false);
  EXPECT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
}

TEST_F(RedisConnectionTest, AConnectThatHangsIsGivenUpLongBeforeALongCommandDeadline) {
  server_.set_silent(true);
  Connect(Millis(20000));
  ASSERT_TRUE(RunUntil(
      loop_, [this] { return server_.accepted() >= 2; }, Millis(5000)));
  EXPECT_THAT(redis_->last_error(), HasSubstr("no connection within"));
}

TEST_F(RedisConnectionTest, HoweverLongRedisWasAwayItIsLookedForTwiceASecond) {
  server_.set_silent(true);
  Connect();
  // The gaps grow at first; the shortest of three late ones says how far, on a busy machine too.
  std::vector<MonoTime> met;
  ASSERT_TRUE(RunUntil(loop_, [&] {
    while (static_cast<int>(met.size()) < server_.accepted()) met.push_back(loop_.clock().Now());
    server_.HangUp();
    return met.size() >= 10;
  }));
  const Micros shortest = std::min({met[7] - met[6], met[8] - met[7], met[9] - met[8]});
  EXPECT_LE(shortest, Millis(700));
}

TEST_F(RedisConnectionTest, NothingComesBackOnceTheScopeIsGone) {
  ConnectAndWait();
  Send(RedisCommand("ECHO").Arg("a"));
  scope_.CancelAll();
  Send(RedisCommand("ECHO").Arg("b"));
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_, ElementsAre("b"));
}

TEST_F(RedisConnectionTest, ACallbackMayDestroyTheConnection) {
  ConnectAndWait();
  bool called = false;
  redis_->Send(RedisCommand("ECHO").Arg("a"), scope_, [&](Result<RedisValue>) {
    called = true;
    redis_.reset();
  });
  Send(RedisCommand("ECHO").Arg("b"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return called && server_.open() == 0; }));
  EXPECT_THAT(replies_, IsEmpty());
}

TEST_F(RedisConnectionTest, ACallbackOfABrokenConnectionMayDestroyIt) {
  ConnectAndWait();
  redis_->Send(RedisCommand("SILENT"), scope_, [&](Result<RedisValue>) { redis_.reset(); });
  Send(RedisCommand("SILENT"));
  RunUntil(loop_, [turn = 0]() mutable { return ++turn > 3; });
  server_.HangUp();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_; }));
  EXPECT_THAT(replies_, IsEmpty());
}

TEST_F(RedisConnectionTest, AServerThatDoesNotReadIsNotFedWithoutEnd) {
  ConnectAndWait();
  const std::string mega(1024 * 1024, 'x');
  // All in one turn: nothing can have been written meanwhile.
  for (int i = 0; i < 10; ++i) Send(RedisCommand("ECHO").Arg(mega));
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_[0], HasSubstr("wait unsent"));
}

TEST_F(RedisConnectionTest, AScriptThatRedisForgotIsSentAgainWithItsText) {
  custom_ = [](const std::vector<std::string>& args) -> std::string {
    if (args[0] == "EVALSHA") return "-NOSCRIPT No matching script.\r\n";
    return "+" + args[0] + " " + args[1] + " " + args[2] + args[3] + args[4] + "\r\n";
  };
  ConnectAndWait();
  const std::vector<std::string> keys = {"k"};
  const std::vector<std::string> args = {"a"};
  redis_->Eval(script_, keys, args, scope_, Keep());
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_THAT(replies_, ElementsAre("EVAL return 1 1ka"));
}

}  // namespace
}  // namespace relay

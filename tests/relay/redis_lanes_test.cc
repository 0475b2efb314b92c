#include "relay/redis_lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "relay/random.h"
#include "tests/support/redis_process.h"
#include "tests/support/sync_redis.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::Gt;

constexpr Millis kLease{60'000};

// A real Redis whose clock moves by itself: what depends on time is tested with spans that are far
// longer, or far shorter, than a test takes.
class RedisLanesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(redis_process_.Start().ok());
    ASSERT_TRUE(redis_.Connect().ok());
  }

  LaneAsk Ask(int cap, int want, int keep = 0) const {
    LaneAsk ask;
    ask.endpoint = 7;
    ask.cap = cap;
    ask.want = want;
    ask.keep = keep;
    return ask;
  }
  std::vector<LaneShare> Send(const std::string& worker, const std::vector<LaneAsk>& asks,
                              Millis lease = kLease) {
    const ScriptCall call = AskForLanes(worker, lease, asks);
    const Result<RedisValue> reply = redis_.Eval(*call.script, call.keys, call.args);
    EXPECT_TRUE(reply.ok());
    const Result<LanesReply> lanes = ParseLanes(*reply, asks.size());
    EXPECT_TRUE(lanes.ok()) << lanes.status().ToString();
    return lanes.ok() ? lanes->shares : std::vector<LaneShare>(asks.size());
  }
  LaneShare Send(const std::string& worker, const LaneAsk& ask, Millis lease = kLease) {
    return Send(worker, std::vector<LaneAsk>{ask}, lease).front();
  }
  LaneShare Tell(const std::string& worker, int ok, int failed, LaneAsk ask) {
    ask.ok = ok;
    ask.failed = failed;
    ask.failed_last = failed;
    return Send(worker, ask);
  }
  // Lets Redis's clock move on by so much.
  void Pass(Millis time) {
    const std::vector<std::string> none;
    const RedisScript wait =
        RedisScript::Make("wait",
                          "local t = redis.call('TIME') "
                          "return string.format('%.3f', t[1] * 1000 + t[2] / 1000)");
    const auto now = [&] { return std::stod(redis_.Eval(wait, none, none)->text); };
    const double end = now() + static_cast<double>(time.count());
    while (now() < end) {
    }
  }

  RedisProcess redis_process_;
  SyncRedis redis_{redis_process_.socket_path()};
};

TEST_F(RedisLanesTest, OneWorkerGetsWhatItWantsUpToTheCap) {
  EXPECT_EQ(Send("a", Ask(10, 4)).permits, 4);
  EXPECT_EQ(Send("a", Ask(10, 40, 4)).permits, 10);
}

TEST_F(RedisLanesTest, WhatOthersHoldIsNotGivenAgain) {
  EXPECT_EQ(Send("a", Ask(10, 8)).permits, 8);
  EXPECT_EQ(Send("b", Ask(10, 8)).permits, 2);
  EXPECT_EQ(Send("c", Ask(10, 8)).permits, 0);
}

TEST_F(RedisLanesTest, APartShrinksBeforeAnotherGrows) {
  EXPECT_EQ(Send("a", Ask(10, 10)).permits, 10);
  EXPECT_EQ(Send("b", Ask(10, 10)).permits, 0);
  // Six requests of a's run: told to come down to five, it can promise six.
  const LaneShare told = Send("a", Ask(10, 10, 10));
  EXPECT_EQ(told.permits, 10);
  EXPECT_EQ(told.come_down_to, 5);
  EXPECT_EQ(Send("b", Ask(10, 10)).permits, 0);
  EXPECT_EQ(Send("a", Ask(10, 10, 6)).permits, 6);
  EXPECT_EQ(Send("b", Ask(10, 10)).permits, 4);
  EXPECT_EQ(Send("a", Ask(10, 10, 5)).permits, 5);
  EXPECT_EQ(Send("b", Ask(10, 10, 4)).permits, 5);
}

TEST_F(RedisLanesTest, WhatIsNotWantedIsFreeForOthers) {
  EXPECT_EQ(Send("a", Ask(2, 2)).permits, 2);
  EXPECT_EQ(Send("a", Ask(2, 0, 0)).permits, 0);
  EXPECT_EQ(Send("b", Ask(2, 2)).permits, 2);
}

TEST_F(RedisLanesTest, PermitsOfTheSilentLapse) {
  EXPECT_EQ(Send("a", Ask(2, 2), Millis(50)).permits, 2);
  EXPECT_EQ(Send("b", Ask(2, 2)).permits, 0);
  Pass(Millis(51));
  EXPECT_EQ(Send("b", Ask(2, 2)).permits, 2);
  // And what a then says that it keeps, it keeps no more.
  EXPECT_EQ(Send("a", Ask(2, 2, 2)).permits, 0);
}

TEST_F(RedisLanesTest, MoreWorkersThanPermitsTakeTurnsInTheOrderOfTheirHunger) {
  EXPECT_EQ(Send("a", Ask(1, 1)).permits, 1);
  EXPECT_EQ(Send("b", Ask(1, 1)).permits, 0);
  Pass(Millis(2));
  EXPECT_EQ(Send("c", Ask(1, 1)).permits, 0);
  EXPECT_EQ(Send("a", Ask(1, 1, 1)).come_down_to, 1) << "its turn is not over";
  Pass(Millis(1000));
  EXPECT_EQ(Send("a", Ask(1, 1, 1)).come_down_to, 0);
  EXPECT_EQ(Send("a", Ask(1, 1, 0)).permits, 0);
  EXPECT_EQ(Send("c", Ask(1, 1)).permits, 0) << "b is hungrier";
  EXPECT_EQ(Send("b", Ask(1, 1)).permits, 1);
}

// Whatever workers ask and promise, together they hold no more than the cap.
TEST_F(RedisLanesTest, TheCapHoldsWhileWorkersComeAndGo) {
  Random random(11);
  for (const int cap : {1, 3, 10}) {
    struct Worker {
      int permits = 0;
      int running = 0;
    };
    std::map<std::string, Worker> workers;
    LaneAsk ask = Ask(cap, 0);
    ask.endpoint = static_cast<uint64_t>(cap);
    for (int step = 0; step < 2000; ++step) {
      const std::string name(1, static_cast<char>('a' + random.Below(6)));
      Worker& worker = workers[name];
      // Between two askings some requests start within the permits, and some end.
      worker.running = static_cast<int>(random.Below(static_cast<uint64_t>(worker.permits) + 1));
      ask.want = static_cast<int>(random.Below(static_cast<uint64_t>(cap) + 3));
      ask.want = std::max(ask.want, worker.running);
      ask.keep = worker.running;
      const LaneShare share = Send(name, ask);
      worker.permits = share.permits;
      int together = 0;
      for (const auto& [other, its] : workers) together += its.permits;
      ASSERT_LE(together, cap) << "step " << step;
      ASSERT_GE(share.permits, worker.running) << "what runs is not taken away";
    }
  }
}

TEST_F(RedisLanesTest, ARateGivesItsBurstAndThenSoMuchASecond) {
  LaneAsk ask = Ask(10, 10);
  ask.rate = {.per_s = 1, .burst = 5};
  ask.tokens = 3;
  EXPECT_EQ(Send("a", ask).tokens, 3);
  const LaneShare rest = Send("a", ask);
  EXPECT_EQ(rest.tokens, 2);
  EXPECT_GT(rest.tokens_in, Millis(0));
  EXPECT_LE(rest.tokens_in, Millis(1000));
  EXPECT_EQ(Send("a", ask).tokens, 0);
}

TEST_F(RedisLanesTest, AllWorkersDrawFromOneBucket) {
  LaneAsk ask = Ask(10, 5);
  ask.rate = {.per_s = 200, .burst = 1};
  ask.tokens = 1'000;
  int given = 0;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 40; ++i) {
    given += Send(i % 2 == 0 ? "a" : "b", ask).tokens;
    Pass(Millis(5));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  EXPECT_LE(given, 1 + static_cast<int>(200 * took.count()) + 1);
  EXPECT_GE(given, 40);
}

TEST_F(RedisLanesTest, TheBacklogHasARateOfItsOwn) {
  LaneAsk ask = Ask(10, 10);
  ask.rate.backlog_per_s = 20;
  ask.backlog_tokens = 10;
  const LaneShare share = Send("a", ask);
  EXPECT_EQ(share.backlog_tokens, 2) << "a tenth of a second's worth at once";
  EXPECT_GT(share.backlog_tokens_in, Millis(0));
  EXPECT_EQ(share.tokens_in, Millis(0)) << "newcomers have no limit";
}

TEST_F(RedisLanesTest, FailuresInARowOpenTheBreakerWhoeverMetThem) {
  LaneAsk ask = Ask(10, 2);
  ask.breaker.failures = 5;
  ask.breaker.probe_every = Millis(60'000);
  EXPECT_FALSE(Tell("a", 0, 2, ask).open);
  const LaneShare share = Tell("b", 0, 3, ask);
  EXPECT_TRUE(share.open);
  EXPECT_EQ(share.permits, 0);
  EXPECT_GT(share.probe_in, Millis(50'000));
  EXPECT_GT(share.failing_since_ms, 0);
  const LaneShare other = Send("a", Ask(10, 2, 2));
  EXPECT_TRUE(other.open);
  EXPECT_EQ(other.come_down_to, 0);
}

TEST_F(RedisLanesTest, ASuccessBetweenFailuresBeginsTheRowAnew) {
  LaneAsk ask = Ask(10, 2);
  ask.breaker.failures = 5;
  Tell("a", 0, 4, ask);
  EXPECT_EQ(Tell("a", 1, 0, ask).failing_since_ms, 0);
  EXPECT_FALSE(Tell("a", 0, 4, ask).open);
  EXPECT_TRUE(Tell("a", 0, 1, ask).open);
}

TEST_F(RedisLanesTest, AShareOfFailuresOpensItOnceThereAreEnough) {
  LaneAsk ask = Ask(10, 2);
  ask.breaker.share = 0.5;
  ask.breaker.least = 40;
  ask.breaker.window = Millis(3'600'000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Tell("a", 5, 0, ask).open);
    EXPECT_FALSE(Tell("a", 0, 7, ask).open);
  }
  EXPECT_FALSE(Tell("a", 2, 0, ask).open) << "38 attempts are too few";
  EXPECT_TRUE(Tell("a", 0, 2, ask).open);
}

TEST_F(RedisLanesTest, OneProbeIsGivenInAnIntervalToAllTogether) {
  LaneAsk ask = Ask(10, 1);
  ask.breaker.failures = 1;
  ask.breaker.probe_every = Millis(100);
  ASSERT_TRUE(Tell("a", 0, 1, ask).open);
  ask.probe = true;
  int probes = 0;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 300; ++i) {
    const std::string worker(1, static_cast<char>('a' + i % 5));
    const LaneShare share = Send(worker, ask);
    if (!share.probe) continue;
    ++probes;
    EXPECT_EQ(share.permits, 1);
    ask.want = 0;  // It is over at once, and gives its permit back.
    Send(worker, ask);
    ask.want = 1;
    Pass(Millis(1));
  }
  const auto took = std::chrono::steady_clock::now() - started;
  EXPECT_LE(probes, static_cast<int>(took / Millis(100)));
  Pass(Millis(100));
  EXPECT_TRUE(Send("e", ask).probe);
}

TEST_F(RedisLanesTest, ASuccessClosesItAndTheCapGrowsBack) {
  LaneAsk ask = Ask(10, 10);
  ask.breaker.failures = 1;
  ask.breaker.slow_start = Millis(500);
  ASSERT_TRUE(Tell("a", 0, 1, ask).open);
  const LaneShare closed = Tell("b", 1, 0, ask);
  EXPECT_FALSE(closed.open);
  EXPECT_TRUE(closed.slow);
  EXPECT_LE(closed.permits, 2);
  EXPECT_EQ(closed.failing_since_ms, 0);
  Pass(Millis(250));
  const LaneShare half = Send("b", Ask(10, 10, closed.permits));
  ask.keep = half.permits;
  EXPECT_GE(half.permits, 1);
  Pass(Millis(260));
  const LaneShare whole = Send("b", ask);
  EXPECT_EQ(whole.permits, 10);
  EXPECT_FALSE(whole.slow);
}

TEST_F(RedisLanesTest, ManyLanesAreAskedForInOneCall) {
  std::vector<LaneAsk> asks(kLanesPerCall, Ask(3, 2));
  for (size_t i = 0; i < asks.size(); ++i) asks[i].endpoint = 100 + i;
  for (const LaneShare& share : Send("a", asks)) EXPECT_EQ(share.permits, 2);
}

TEST_F(RedisLanesTest, AnEmptyLaneIsForgottenAndAFailingOneIsNot) {
  Send("a", Ask(2, 0));
  const auto left_ms = [this] {
    return redis_.Command(RedisCommand("PTTL").Arg(LaneKey(7)))->integer;
  };
  EXPECT_LE(left_ms(), 120'000);
  LaneAsk ask = Ask(2, 0);
  Tell("a", 0, 1, ask);
  EXPECT_THAT(left_ms(), Gt(90LL * 86'400'000));
}

TEST_F(RedisLanesTest, WhatIsNoNumberIsRefusedAndChangesNothing) {
  ScriptCall call = AskForLanes("a", kLease, std::vector<LaneAsk>{Ask(2, 1)});
  for (size_t place = 1; place < call.args.size(); ++place) {
    ScriptCall wrong = call;
    wrong.args[place] = "-1";
    const Result<RedisValue> reply = redis_.Eval(*wrong.script, wrong.keys, wrong.args);
    ASSERT_TRUE(reply.ok());
    EXPECT_TRUE(reply->is_error()) << place;
  }
  EXPECT_EQ(redis_.Command(RedisCommand("EXISTS").Arg(LaneKey(7)))->integer, 0);
}

}  // namespace
}  // namespace relay

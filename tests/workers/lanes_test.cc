// What a worker does by the word of all: permits, tokens, an open breaker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workers/worker_fixture.h"

namespace relay {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class LanesTest : public WorkerTest {
 protected:
  LanesTest() {
    redis_.On("lane", [this](const FakeRedisCall& call) { return Shares(call); });
    redis_.On("hold", [this](const FakeRedisCall& call) {
      held_.push_back(call.args[2]);
      due_.clear();
      return RedisValue::Array({RedisValue::Integer(now_ms()), RedisValue::Integer(1)});
    });
  }

  // As relay/scripts/lane.lua does it for a worker that is alone; one probe every five seconds.
  Result<RedisValue> Shares(const FakeRedisCall& call) {
    std::vector<RedisValue> reply = {RedisValue::Integer(now_ms())};
    for (size_t at = 2; at < call.args.size(); at += 18) {
      asks_.emplace_back(call.args.begin() + static_cast<long>(at),
                         call.args.begin() + static_cast<long>(at) + 18);
      const int64_t want = std::stoll(call.args[at + 1]);
      const int64_t keep = std::stoll(call.args[at + 2]);
      if (!open_) probe_at_ms_ = now_ms() + 5000;
      const bool probe = open_ && call.args[at + 11] == "1" && now_ms() >= probe_at_ms_;
      if (probe) {
        ++probes_;
        probe_at_ms_ = now_ms() + 5000;
      }
      std::vector<RedisValue> share(11, RedisValue::Integer(0));
      share[1] = RedisValue::Integer(open_ ? 0 : std::min<int64_t>(permits_, want));
      share[0] = RedisValue::Integer(std::max({keep, share[1].integer, int64_t{probe}}));
      share[2] = RedisValue::Integer(std::min<int64_t>(tokens_, std::stoll(call.args[at + 5])));
      tokens_ -= share[2].integer;
      share[6] = RedisValue::Integer(open_ ? 1 : 0);
      share[7] = RedisValue::Integer(probe ? 1 : 0);
      share[8] = RedisValue::Integer(open_ ? std::max<int64_t>(0, probe_at_ms_ - now_ms()) : 0);
      reply.push_back(RedisValue::Array(std::move(share)));
    }
    return RedisValue::Array(std::move(reply));
  }
  int Requests() const { return static_cast<int>(http_.requests().size()); }
  void DeliverMany(int from, int to) {
    std::vector<std::pair<int, Event>> entries;
    for (int i = from; i <= to; ++i) entries.push_back({i, EventNamed("e" + std::to_string(i))});
    Deliver(entries);
    loop_.RunReady();
  }

  // The first event of endpoint "a" fails, and its breaker opens.
  void FailAndOpen() {
    AddEndpoint("a");
    StartWorker();
    DeliverMany(1, 1);
    open_ = true;
    http_.Answer(0, 500);
    loop_.Advance(Millis(100));
  }

  bool open_ = false;
  int permits_ = 10;
  int64_t tokens_ = 0;
  int probes_ = 0;
  int64_t probe_at_ms_ = 0;
  std::vector<std::vector<std::string>> asks_;
  std::vector<std::string> held_;
};

TEST_F(LanesTest, NothingStartsBeforeItsPermitIsThere) {
  redis_.Off("lane");
  AddEndpoint("a");
  StartWorker();
  DeliverMany(1, 1);
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_EQ(redis_.Oldest().verb, "lane");
  redis_.Answer(*Shares(redis_.Oldest()));
  loop_.RunReady();
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(LanesTest, NoMoreRunThanThereArePermits) {
  permits_ = 3;
  AddEndpoint("a");
  StartWorker();
  DeliverMany(1, 8);
  EXPECT_EQ(Requests(), 3);
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_EQ(Requests(), 4);
}

TEST_F(LanesTest, WhatIsNotUsedIsGivenBack) {
  AddEndpoint("a");
  StartWorker();
  DeliverMany(1, 1);
  http_.Answer(0, 200);
  loop_.Advance(Seconds(3));
  ASSERT_FALSE(asks_.empty());
  EXPECT_EQ(asks_.back()[1], "0") << "wanted";
  EXPECT_EQ(asks_.back()[2], "0") << "kept";
  const size_t asked = asks_.size();
  loop_.Advance(Seconds(10));
  EXPECT_EQ(asks_.size(), asked) << "an idle lane costs nothing";
}

// Redis is away for longer than permits may be trusted: others may be given them now.
TEST_F(LanesTest, WithoutPermitsNothingStaysInFlight) {
  AddEndpoint("a");
  StartWorker();
  DeliverMany(1, 2);
  EXPECT_EQ(http_.open_requests(), 2);
  redis_.On("lane", RedisValue::Error("ERR not now"));
  loop_.Advance(Seconds(5));
  EXPECT_EQ(http_.open_requests(), 0);
}

TEST_F(LanesTest, ARatedEndpointIsSentAsMuchAsThereAreTokens) {
  AddEndpoint("a").rate.per_s = 100;
  tokens_ = 2;
  StartWorker();
  DeliverMany(1, 5);
  EXPECT_EQ(Requests(), 2);
  tokens_ = 1;
  loop_.Advance(Millis(100));
  EXPECT_EQ(Requests(), 3);
}

TEST_F(LanesTest, BehindAnOpenBreakerEventsAreParkedAndRetriesRest) {
  FailAndOpen();
  ASSERT_THAT(settled_, SizeIs(1));
  DeliverMany(2, 2);
  EXPECT_EQ(Requests(), 1);
  ASSERT_THAT(settled_, SizeIs(2));
  EXPECT_EQ(settled_[1].owed[0].state, "p");
  MakeDue(1, 2, EventNamed("e2"), 0, 640);
  loop_.Advance(Seconds(2));
  EXPECT_THAT(held_, testing::ElementsAre("hold"));
  EXPECT_EQ(Requests(), 1);
}

TEST_F(LanesTest, AProbeTakesOneOfThemAndItsSuccessReleasesAll) {
  FailAndOpen();
  MakeDue(1, 1, EventNamed("e1"), 1, 640);
  loop_.Advance(Seconds(2));
  ASSERT_THAT(held_, testing::ElementsAre("hold"));
  // It rests, and so only a probe finds it.
  const RedisValue fields = Entries({{1, EventNamed("e1")}}).items[0].items[1].items[0].items[1];
  redis_.On("take", [this, fields](const FakeRedisCall& call) {
    EXPECT_EQ(call.args[5], "1") << "probe";
    return RedisValue::Array({RedisValue::Integer(now_ms()),
                              RedisValue::Array({RedisValue::Text("n1-0"), RedisValue::Text("640"),
                                                 RedisValue::Integer(1), fields})});
  });
  loop_.Advance(Seconds(5));
  EXPECT_EQ(probes_, 1);
  ASSERT_EQ(Requests(), 2) << "one attempt, whatever is due";
  open_ = false;
  http_.Answer(1, 200);
  loop_.Advance(Seconds(1));
  EXPECT_THAT(held_, testing::ElementsAre("hold", "release"));
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "ok");
}

TEST_F(LanesTest, WhatCameOfAttemptsIsToldOnce) {
  AddEndpoint("a");
  StartWorker();
  DeliverMany(1, 3);
  http_.Answer(0, 500);
  http_.Answer(1, 200);
  http_.Answer(2, 503);
  loop_.Advance(Seconds(3));
  int ok = 0;
  int failed = 0;
  for (const auto& ask : asks_) {
    ok += std::stoi(ask[8]);
    failed += std::stoi(ask[9]);
  }
  EXPECT_EQ(ok, 1);
  EXPECT_EQ(failed, 2);
}

}  // namespace
}  // namespace relay

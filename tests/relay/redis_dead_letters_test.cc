#include "relay/redis_dead_letters.h"

#include <gmock/gmock.h>

#include "tests/support/partition_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;

class RedisDeadLettersTest : public PartitionTest {
 protected:
  Member Dead(const std::vector<uint64_t>& dead, size_t bytes,
              const std::vector<uint64_t>& waiting = {}) {
    const Member member = Store(MakeEvent(std::string(bytes, 'x')));
    Read();
    Settlement settlement{member, Settlement::Kind::kLast, "acme", static_cast<int64_t>(bytes), 0,
                          {}};
    for (const uint64_t endpoint : dead) {
      settlement.owed.push_back({endpoint, OwedDelivery::State::kDead, Millis(0), 1, ""});
    }
    for (const uint64_t endpoint : waiting) settlement.owed.push_back(Parked(endpoint));
    EXPECT_TRUE(SettleOne(settlement));
    return member;
  }
  WeighReply Weigh(uint64_t endpoint, int64_t rank = 0, int count = kWeighMax) {
    return Value(ParseWeigh(Run(WeighDeadLetters(keys_, endpoint, rank, count))));
  }
  int64_t Charged() { return Value(ParseChargesPage(Ask(ScanCharges(keys_, "0", 100)))).bytes; }
};

TEST_F(RedisDeadLettersTest, WhatEventsHoldIsSharedByThoseThatAreOwedThem) {
  Dead({7}, 10);
  Dead({7, 8}, 20);
  Dead({7}, 100, {8});
  EXPECT_EQ(Weigh(7).bytes, 10 + 10 + 50);
  EXPECT_EQ(Weigh(8).bytes, 10);
  EXPECT_EQ(Charged(), 130);
}

TEST_F(RedisDeadLettersTest, AWeighingGoesOnWhereThePageBeforeEnded) {
  for (int i = 0; i < 5; ++i) Dead({7}, 10);
  EXPECT_EQ(Weigh(7, 0, 3).letters, 3);
  EXPECT_EQ(Weigh(7, 3, 3).letters, 2);
  EXPECT_EQ(Weigh(7, 5, 3).letters, 0);
}

// A call that reads large bodies must not hold Redis for the time of two hundred of them.
TEST_F(RedisDeadLettersTest, LargeBodiesEndAPage) {
  for (int i = 0; i < 4; ++i) Dead({7}, 600'000);
  const WeighReply weighed = Weigh(7);
  EXPECT_EQ(weighed.letters, 2);
  EXPECT_EQ(weighed.bytes, 1'200'000);
}

TEST_F(RedisDeadLettersTest, TheOldestAreListedByTheirDeath) {
  const Member first = Dead({7}, 1);
  const Member second = Dead({7}, 1);
  const std::string key = keys_.DeadLetters(7);
  Ask(RedisCommand("ZADD").Arg(key).Arg("2000").Arg(first.text()));
  Ask(RedisCommand("ZADD").Arg(key).Arg("1000").Arg(second.text()));
  const auto list = [this](int64_t until_ms, int64_t skipped) {
    std::vector<Member> members;
    for (auto& letter :
         Value(ParseDeadMembers(Ask(ListDeadLetters(keys_, 7, until_ms, skipped, 10))))) {
      members.push_back(letter.member);
    }
    return members;
  };
  EXPECT_THAT(list(5000, 0), ElementsAre(second, first));
  EXPECT_THAT(list(1999, 0), ElementsAre(second));
  EXPECT_THAT(list(5000, 1), ElementsAre(first));
  EXPECT_EQ(Ask(CountDeadLetters(keys_, 7, 2000)).integer, 2);
}

}  // namespace
}  // namespace relay

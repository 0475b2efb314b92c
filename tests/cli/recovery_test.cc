#include "cli/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

constexpr int64_t kMs = 1000;
constexpr int64_t kSecond = 1000 * kMs;

FaultLine Fault(int64_t at_us, int64_t until_us, int64_t may_lose_us = 0) {
  return {at_us, until_us, "kill", "redis", may_lose_us};
}

// ---- Which fault a moment is near to

TEST(FaultTimelineTest, WithoutAFaultNothingIsNear) {
  const FaultTimeline faults(Seconds(30));
  EXPECT_FALSE(faults.Near(kSecond));
  EXPECT_FALSE(faults.AgeInCut(kSecond));
}

TEST(FaultTimelineTest, NearFromItsBeginningUntilTheAftermathIsOver) {
  FaultTimeline faults(Seconds(5));
  faults.Add(Fault(10 * kSecond, 12 * kSecond));
  EXPECT_FALSE(faults.Near(10 * kSecond - 1));
  EXPECT_TRUE(faults.Near(10 * kSecond));
  EXPECT_TRUE(faults.Near(17 * kSecond));
  EXPECT_FALSE(faults.Near(17 * kSecond + 1));
}

TEST(FaultTimelineTest, LongFaultAroundShortOnesIsNotForgotten) {
  FaultTimeline faults(Seconds(1));
  faults.Add(Fault(50 * kSecond, 51 * kSecond));
  faults.Add(Fault(10 * kSecond, 100 * kSecond));
  faults.Add(Fault(20 * kSecond, 21 * kSecond));
  EXPECT_TRUE(faults.Near(35 * kSecond));
  EXPECT_TRUE(faults.Near(90 * kSecond));
  EXPECT_FALSE(faults.Near(9 * kSecond));
}

TEST(FaultTimelineTest, CutExcusesWhatCameShortlyBeforeItAndDuringIt) {
  FaultTimeline faults(Seconds(30));
  faults.Add(Fault(10 * kSecond, 12 * kSecond, kSecond));
  EXPECT_FALSE(faults.AgeInCut(9 * kSecond - 1));
  EXPECT_EQ(faults.AgeInCut(9 * kSecond), Micros(kSecond));
  EXPECT_EQ(faults.AgeInCut(11 * kSecond), Micros(0));
  EXPECT_FALSE(faults.AgeInCut(12 * kSecond + 1));
}

// ---- How a relay comes back

class RecoveryTest : public testing::Test {
 protected:
  // An obligation every 10 ms.
  void Traffic(int64_t from_us, int64_t until_us, bool slow) {
    for (int64_t at_us = from_us; at_us < until_us; at_us += 10 * kMs) lags_.Add(at_us, slow);
  }
  std::vector<Recovery> Conclude() {
    lags_.Settle();
    return faults_.Conclude(lags_);
  }
  LagTimeline lags_;
  FaultTimeline faults_{Seconds(30)};
};

TEST_F(RecoveryTest, CountsFromTheEndOfTheFaultUntilTheFirstGoodSecond) {
  faults_.Add(Fault(kSecond, 2 * kSecond));
  Traffic(0, 2500 * kMs, /*slow=*/true);
  Traffic(2500 * kMs, 6 * kSecond, /*slow=*/false);
  const std::vector<Recovery> found = Conclude();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].recovered, Micros(500 * kMs));
  EXPECT_FALSE(found[0].seen_slow);
}

TEST_F(RecoveryTest, GoodWindowBeforeABadOneIsNotTheEnd) {
  faults_.Add(Fault(kSecond, 2 * kSecond));
  Traffic(2 * kSecond, 2200 * kMs, /*slow=*/false);
  Traffic(2200 * kMs, 2900 * kMs, /*slow=*/true);
  Traffic(2900 * kMs, 6 * kSecond, /*slow=*/false);
  EXPECT_EQ(Conclude().at(0).recovered, Micros(900 * kMs));
}

TEST_F(RecoveryTest, OneInAHundredMayBeSlow) {
  faults_.Add(Fault(0, kSecond));
  for (int i = 0; i < 99; ++i) lags_.Add(kSecond, /*slow=*/false);
  lags_.Add(kSecond, /*slow=*/true);
  EXPECT_EQ(Conclude().at(0).recovered, Micros(0));
}

TEST_F(RecoveryTest, WhatStaysSlowHasNotRecovered) {
  faults_.Add(Fault(0, kSecond));
  Traffic(kSecond, 3 * kSecond, /*slow=*/true);
  const Recovery found = Conclude().at(0);
  EXPECT_FALSE(found.recovered);
  EXPECT_TRUE(found.seen_slow);
}

TEST_F(RecoveryTest, WithoutTrafficAfterItNothingCanBeSaid) {
  faults_.Add(Fault(5 * kSecond, 6 * kSecond));
  Traffic(0, kSecond, /*slow=*/false);
  const Recovery found = Conclude().at(0);
  EXPECT_FALSE(found.recovered);
  EXPECT_FALSE(found.seen_slow);
  EXPECT_FALSE(found.first_accepted);
  EXPECT_FALSE(found.first_delivered);
}

TEST_F(RecoveryTest, FirstsCountForEveryFaultBeforeThem) {
  faults_.Add(Fault(kSecond, 2 * kSecond));
  faults_.Add(Fault(3 * kSecond, 4 * kSecond));
  faults_.SawAccepted(kSecond);  // Before both were over.
  faults_.SawDelivered(2500 * kMs);
  faults_.SawAccepted(4300 * kMs);
  faults_.SawAccepted(4200 * kMs);
  faults_.SawDelivered(5 * kSecond);
  const std::vector<Recovery> found = Conclude();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].first_accepted, Micros(2200 * kMs));
  EXPECT_EQ(found[1].first_accepted, Micros(200 * kMs));
  EXPECT_EQ(found[0].first_delivered, Micros(500 * kMs));
  EXPECT_EQ(found[1].first_delivered, Micros(kSecond));
}

}  // namespace
}  // namespace relay

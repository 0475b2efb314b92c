#include "broker/store_backlog.h"

#include <gtest/gtest.h>

#include <deque>

namespace relay {
namespace {

class StoreBacklogTest : public testing::Test {
 protected:
  // Offers so many a second for `time`, of which Redis answers so many; returns how many were let
  // in, and notes the longest wait of those that were answered.
  int Run(int offered_per_s, int answered_per_s, Millis time) {
    int let_in = 0;
    for (const MonoTime end = now_ + time; now_ < end; now_ += Millis(1)) {
      for (offered_ += offered_per_s; offered_ >= 1000; offered_ -= 1000) let_in += Offer();
      for (answered_ += answered_per_s; answered_ >= 1000; answered_ -= 1000) Answer();
    }
    return let_in;
  }
  bool Offer() {
    if (backlog_.full(now_)) return false;
    backlog_.OnSent(now_);
    waiting_.push_back(now_);
    return true;
  }
  void Answer() {
    if (waiting_.empty()) return;
    longest_ = std::max<Micros>(longest_, now_ - waiting_.front());
    waiting_.pop_front();
    backlog_.OnAnswered(now_);
  }

  MonoTime now_ = MonoTime(Seconds(100));
  StoreBacklog backlog_{Seconds(1)};
  std::deque<MonoTime> waiting_;
  Micros longest_{0};
  int offered_ = 0;
  int answered_ = 0;
};

TEST_F(StoreBacklogTest, WhileRedisKeepsUpABurstIsTakenWhole) {
  EXPECT_EQ(Run(50'000, 0, Millis(100)), 5000);
}

TEST_F(StoreBacklogTest, AnyOverloadIsServedAtCapacityAndNobodyWaitsMuchLongerThanTheWindow) {
  for (const int times : {2, 10}) {
    Run(500, 1000, Seconds(3));
    longest_ = Micros(0);
    EXPECT_NEAR(Run(1000 * times, 1000, Seconds(10)), 11'000, 1000) << times;
    // All that comes in the first 100 ms is let in.
    EXPECT_LE(longest_, Millis(1200)) << times;
    EXPECT_GE(waiting_.size(), 500u) << "Redis has nothing to do";
  }
}

// The first fsync of a broker's life may be the slowest, and nothing has been answered yet.
TEST_F(StoreBacklogTest, AStallAtTheBeginningRefusesNothingAtALowLoad) {
  EXPECT_EQ(Run(200, 0, Millis(600)), 120);
  EXPECT_TRUE(Offer());
}

TEST_F(StoreBacklogTest, AStallIsRiddenOutAtTheUsualLoad) {
  Run(500, 1000, Seconds(3));
  EXPECT_GE(Run(500, 0, Millis(600)), 200);
}

TEST_F(StoreBacklogTest, ARedisThatAnswersNothingIsSentNothingAfterAWindow) {
  Run(1000, 1000, Seconds(3));
  Run(1000, 0, Seconds(1));
  EXPECT_EQ(Run(1000, 0, Seconds(5)), 0);
  EXPECT_LE(waiting_.size(), 1000u);
  // Nothing is left of it when Redis is back.
  Run(0, 1'000'000, Millis(10));
  EXPECT_TRUE(Offer());
}

TEST_F(StoreBacklogTest, WhatWasLostWaitsNoLonger) {
  Run(1000, 0, Seconds(1));
  EXPECT_TRUE(backlog_.full(now_));
  for (size_t i = 0; i < waiting_.size(); ++i) backlog_.OnLost();
  EXPECT_FALSE(backlog_.full(now_));
}

}  // namespace
}  // namespace relay

#include "workers/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using enum Lane::Admission;

class LaneTest : public ::testing::Test {
 protected:
  // Runs `count` requests one after the other, `took` each, so that the lane learns.
  void Learn(Lane& lane, Micros took, int count = 100) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(lane.Offer(1'000'000 + i, now_), kStart);
      now_ += took;
      lane.OnFinished(1'000'000 + i, now_);
    }
  }

  MonoTime now_{seconds(100)};
};

TEST_F(LaneTest, StartsUntilItsSlotsAreTakenThenQueuesInOrder) {
  Lane lane({.in_flight_max = 2});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kStart);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  EXPECT_EQ(lane.Offer(4, now_), kQueued);
  EXPECT_EQ(lane.TakeNext(now_), std::nullopt);

  lane.OnFinished(1, now_);
  EXPECT_EQ(lane.TakeNext(now_), 3u);
  EXPECT_EQ(lane.TakeNext(now_), std::nullopt);
  lane.OnFinished(2, now_);
  EXPECT_EQ(lane.TakeNext(now_), 4u);
  EXPECT_EQ(lane.in_flight(), 2);
}

// A slot that has come free belongs to the one that waits, not to a newcomer.
TEST_F(LaneTest, ANewcomerDoesNotOvertake) {
  Lane lane({.in_flight_max = 1});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kQueued);
  lane.OnFinished(1, now_);
  EXPECT_EQ(lane.free_slots(), 0);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  EXPECT_EQ(lane.TakeNext(now_), 2u);
}

TEST_F(LaneTest, QueuesAsMuchAsItsEndpointWorksOffInTheLongestWait) {
  Lane lane({.in_flight_max = 10, .wait_max = Millis(500)});
  Learn(lane, Millis(20));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(lane.Offer(i, now_), kStart);
  // Ten at a time in 20 ms each: 250 are done in 500 ms. The average never quite reaches 20 ms.
  int queued = 0;
  while (lane.Offer(100 + queued, now_) == kQueued) ++queued;
  EXPECT_GE(queued, 249);
  EXPECT_LE(queued, 251);
}

TEST_F(LaneTest, ASlowEndpointQueuesLittle) {
  Lane lane({.in_flight_max = 10, .wait_max = Millis(500)});
  Learn(lane, seconds(2));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(lane.Offer(i, now_), kStart);
  int queued = 0;
  while (lane.Offer(100 + queued, now_) == kQueued) ++queued;
  EXPECT_EQ(queued, 2);
}

// What has stopped answering finishes nothing: only the age of the oldest request shows it.
TEST_F(LaneTest, AnEndpointThatHangsParksNewcomersAfterAWhile) {
  Lane lane({.in_flight_max = 2, .wait_max = Millis(500)});
  Learn(lane, Millis(1));
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kStart);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  now_ += Millis(600);
  EXPECT_EQ(lane.Offer(4, now_), kPark);
}

TEST_F(LaneTest, TheOldestIsTheOldestStillRunning) {
  Lane lane({.in_flight_max = 2, .wait_max = Millis(500)});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  now_ += seconds(10);
  EXPECT_EQ(lane.Offer(2, now_), kStart);
  EXPECT_GE(lane.EstimatedWait(now_), seconds(5));
  lane.OnFinished(1, now_);
  EXPECT_EQ(lane.EstimatedWait(now_), Micros(0));
}

TEST_F(LaneTest, TheQueueIsBoundedByCountWhateverTheEstimateSays) {
  Lane lane({.in_flight_max = 1, .waiting_max = 3});
  Learn(lane, Micros(0));
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  for (int i = 2; i < 5; ++i) EXPECT_EQ(lane.Offer(i, now_), kQueued);
  EXPECT_EQ(lane.Offer(5, now_), kPark);
  EXPECT_EQ(lane.waiting(), 3);
}

TEST_F(LaneTest, ARemovedOneIsNeverNamed) {
  Lane lane({.in_flight_max = 1});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kQueued);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  EXPECT_TRUE(lane.RemoveWaiting(2));
  EXPECT_FALSE(lane.RemoveWaiting(2));
  EXPECT_FALSE(lane.RemoveWaiting(1));
  lane.OnFinished(1, now_);
  EXPECT_EQ(lane.TakeNext(now_), 3u);
}

TEST_F(LaneTest, APausedLaneGivesBackAllThatWaits) {
  Lane lane({.in_flight_max = 1});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kQueued);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  EXPECT_THAT(lane.TakeAllWaiting(), ElementsAre(2, 3));
  EXPECT_FALSE(lane.idle());
  lane.OnFinished(1, now_);
  EXPECT_TRUE(lane.idle());
}

TEST_F(LaneTest, WithABacklogNewcomersHaveHalfOfTheSlotsAndQueueBeforeIt) {
  Lane lane({.in_flight_max = 4});
  Learn(lane, Millis(1));
  lane.SetBacklog(true);
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kStart);
  EXPECT_EQ(lane.Offer(3, now_), kQueued);
  EXPECT_EQ(lane.free_for_retries(), 2);
  EXPECT_TRUE(lane.TakeForRetry(10, now_));
  EXPECT_TRUE(lane.TakeForRetry(11, now_));
  EXPECT_FALSE(lane.TakeForRetry(12, now_));

  // The slot of a retry goes to the next retry, that of a newcomer to the one who waits.
  lane.OnFinished(10, now_);
  EXPECT_EQ(lane.TakeNext(now_), std::nullopt);
  EXPECT_TRUE(lane.TakeForRetry(12, now_));
  lane.OnFinished(1, now_);
  EXPECT_FALSE(lane.TakeForRetry(13, now_));
  EXPECT_EQ(lane.TakeNext(now_), 3u);
}

TEST_F(LaneTest, RetriesMayHaveEverySlotThatNobodyWaitsFor) {
  Lane lane({.in_flight_max = 4});
  lane.SetBacklog(true);
  for (DeliveryNumber retry = 1; retry <= 4; ++retry) EXPECT_TRUE(lane.TakeForRetry(retry, now_));
  EXPECT_EQ(lane.Offer(5, now_), kQueued);
  lane.OnFinished(1, now_);
  EXPECT_FALSE(lane.TakeForRetry(6, now_));
  EXPECT_EQ(lane.TakeNext(now_), 5u);
}

TEST_F(LaneTest, WhenTheBacklogIsOverNewcomersHaveAllSlots) {
  Lane lane({.in_flight_max = 4});
  Learn(lane, Millis(1));
  lane.SetBacklog(true);
  for (DeliveryNumber newcomer = 1; newcomer <= 4; ++newcomer) lane.Offer(newcomer, now_);
  EXPECT_EQ(lane.in_flight(), 2);
  lane.SetBacklog(false);
  EXPECT_EQ(lane.TakeNext(now_), 3u);
  EXPECT_EQ(lane.TakeNext(now_), 4u);
}

TEST_F(LaneTest, ASingleSlotIsTheBacklogs) {
  Lane lane({.in_flight_max = 1});
  lane.SetBacklog(true);
  EXPECT_EQ(lane.Offer(1, now_), kPark);
  EXPECT_TRUE(lane.TakeForRetry(2, now_));
  lane.OnFinished(2, now_);
  EXPECT_TRUE(lane.TakeForRetry(3, now_));
}

// Another worker has come: this one's share shrinks, and what runs runs on.
TEST_F(LaneTest, AShrinkingShareStartsNothingUntilItIsMet) {
  Lane lane({.in_flight_max = 4});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lane.Offer(i, now_), kStart);
  lane.SetInFlightMax(2);
  EXPECT_EQ(lane.Offer(4, now_), kQueued);
  lane.OnFinished(0, now_);
  lane.OnFinished(1, now_);
  EXPECT_EQ(lane.TakeNext(now_), std::nullopt);
  lane.OnFinished(2, now_);
  EXPECT_EQ(lane.TakeNext(now_), 4u);
}

TEST_F(LaneTest, AGrowingShareStartsWhatWaits) {
  Lane lane({.in_flight_max = 1});
  EXPECT_EQ(lane.Offer(1, now_), kStart);
  EXPECT_EQ(lane.Offer(2, now_), kQueued);
  lane.SetInFlightMax(2);
  EXPECT_EQ(lane.TakeNext(now_), 2u);
}

}  // namespace
}  // namespace relay

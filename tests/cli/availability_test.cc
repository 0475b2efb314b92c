#include "cli/availability.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

constexpr int64_t kMs = 1000;

class AvailabilityTest : public testing::Test {
 protected:
  void Offer(int64_t from_ms, int64_t until_ms, bool accepted = true) {
    offers_.Add(from_ms * kMs, until_ms * kMs, accepted);
  }
  Availability Conclude() {
    Availability availability;
    offers_.Conclude(&availability);
    return availability;
  }
  OfferTimeline offers_;
};

TEST_F(AvailabilityTest, NothingOnOfferIsNoGapAndNoWindow) {
  const Availability none = Conclude();
  EXPECT_EQ(none.windows, 0);
  EXPECT_EQ(none.longest_gap, Micros(0));
  EXPECT_EQ(none.Share(), 1);
  EXPECT_EQ(none.WindowShare(), 1);
}

TEST_F(AvailabilityTest, SilenceOfTheProviderIsNoGap) {
  Offer(0, 10);
  Offer(10'000, 10'010);
  const Availability result = Conclude();
  EXPECT_EQ(result.windows, 2);
  EXPECT_EQ(result.windows_without_2xx, 0);
  EXPECT_EQ(result.longest_gap, Micros(10 * kMs));
}

TEST_F(AvailabilityTest, GapLastsFromOneAcknowledgementToTheNextWhileAnythingIsOnOffer) {
  Offer(0, 50);
  Offer(40, 990);  // Waits for nearly a second.
  Offer(60, 70);
  const Availability result = Conclude();
  EXPECT_EQ(result.longest_gap, Micros(920 * kMs));
  EXPECT_EQ(result.windows, 10);
  EXPECT_EQ(result.windows_without_2xx, 8);
  EXPECT_DOUBLE_EQ(result.WindowShare(), 0.2);
}

TEST_F(AvailabilityTest, WhatIsNeverAcknowledgedIsAGapUntilItsLastAnswer) {
  Offer(0, 20);
  Offer(20, 420, /*accepted=*/false);
  const Availability result = Conclude();
  EXPECT_EQ(result.longest_gap, Micros(400 * kMs));
  EXPECT_EQ(result.windows, 5);
  EXPECT_EQ(result.windows_without_2xx, 4);
}

TEST_F(AvailabilityTest, AnswerAcrossABorderSpeaksForBothWindows) {
  Offer(95, 105);
  EXPECT_EQ(Conclude().windows_without_2xx, 0);
}

TEST_F(AvailabilityTest, WindowsOfStretchesThatMeetAreCountedOnce) {
  Offer(10, 20);
  Offer(30, 40);
  Offer(60, 130);
  Offer(140, 150);
  const Availability result = Conclude();
  EXPECT_EQ(result.windows, 2);
  EXPECT_EQ(result.windows_without_2xx, 0);
}

TEST_F(AvailabilityTest, OrderOfAddingDoesNotMatter) {
  Offer(500, 510);
  Offer(0, 300);
  Offer(250, 505, /*accepted=*/false);
  const Availability result = Conclude();
  EXPECT_EQ(result.longest_gap, Micros(300 * kMs));
  EXPECT_EQ(result.windows, 6);
}

}  // namespace
}  // namespace relay

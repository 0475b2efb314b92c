#include "workers/repeat_window.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

constexpr Millis kHalfHour{30 * 60 * 1000};

TEST(RepeatWindowTest, BelowHalfOfTheBudgetTheWindowIsGivenInFull) {
  RepeatWindow window(1000);
  const MonoTime now{Seconds(1000)};
  for (int i = 0; i < 500; ++i) EXPECT_EQ(window.Claim(kHalfHour, now), kHalfHour);
  EXPECT_LT(window.Claim(kHalfHour, now + Seconds(1)), kHalfHour + Millis(1));
}

TEST(RepeatWindowTest, AboveItTheWindowShrinksWithWhatIsLeft) {
  RepeatWindow window(1000);
  const MonoTime now{Seconds(1000)};
  for (int i = 0; i < 750; ++i) window.Claim(kHalfHour, now);
  EXPECT_EQ(window.Claim(kHalfHour, now), kHalfHour / 2);
  for (int i = 0; i < 500; ++i) window.Claim(kHalfHour, now);
  EXPECT_EQ(window.Claim(kHalfHour, now), RepeatWindow::kShortest);
}

TEST(RepeatWindowTest, EndedClaimsGiveTheirPlaceBack) {
  RepeatWindow window(1000);
  MonoTime now{Seconds(1000)};
  for (int i = 0; i < 1000; ++i) window.Claim(kHalfHour, now);
  now += kHalfHour + Seconds(16);
  EXPECT_EQ(window.Claim(kHalfHour, now), kHalfHour);
  EXPECT_EQ(window.live(), 1);
}

// The promise to Redis's memory: whatever the rate, the ids remembered stay near the budget.
TEST(RepeatWindowTest, ASteadyFloodStaysWithinTheBudget) {
  constexpr int64_t kBudget = 10'000;
  // What comes within the shortest window, rounded up to the slots in which claims are counted.
  constexpr int64_t kAbove = 100 * 17;
  RepeatWindow window(kBudget);
  MonoTime now{Seconds(1000)};
  for (int second = 0; second < 7200; ++second, now += Seconds(1)) {
    for (int i = 0; i < 100; ++i) window.Claim(kHalfHour, now);
    ASSERT_LE(window.live(), kBudget + kAbove) << "after " << second << " s";
  }
  EXPECT_GT(window.live(), kBudget / 2);
}

TEST(RepeatWindowTest, ALongSilenceForgetsEverything) {
  RepeatWindow window(1000);
  const MonoTime now{Seconds(1000)};
  for (int i = 0; i < 10; ++i) window.Claim(kHalfHour, now);
  window.Claim(kHalfHour, now + std::chrono::hours(100));
  EXPECT_EQ(window.live(), 1);
}

TEST(RepeatWindowTest, AVeryLongWindowIsCountedForAsLongAsTheRingSees) {
  RepeatWindow window(1000);
  const MonoTime now{Seconds(1000)};
  EXPECT_EQ(window.Claim(std::chrono::hours(24), now), std::chrono::hours(24));
  window.Claim(kHalfHour, now + std::chrono::hours(1));
  EXPECT_EQ(window.live(), 2);
}

}  // namespace
}  // namespace relay

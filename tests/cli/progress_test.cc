#include "cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace relay {
namespace {

class HandSetClock final : public Clock {
 public:
  MonoTime Now() const override { return now; }
  WallTime WallNow() const override { return WallTime(); }
  MonoTime now{Micros(1'000'000)};
};

class ProgressTest : public testing::Test {
 protected:
  ProgressTest() { EXPECT_EQ(pipe(pipe_), 0); }
  ~ProgressTest() override {
    close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }
  // Closes the writing side and returns all that was written.
  std::string Written() {
    close(std::exchange(pipe_[1], -1));
    std::string out(4096, '\0');
    const ssize_t got = read(pipe_[0], out.data(), out.size());
    out.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return out;
  }

  HandSetClock clock_;
  int pipe_[2];
};

TEST_F(ProgressTest, LineShowsCountRateAndTimeLeft) {
  {
    Progress progress(clock_, "callbacks", 10'000, pipe_[1], /*shown=*/true);
    clock_.now += Seconds(2);
    progress.Update(2000);
  }
  EXPECT_THAT(Written(), testing::HasSubstr("2,000 of 10,000 callbacks · 1,000/s · 8 s left"));
}

TEST_F(ProgressTest, OftenUpdatedLineIsDrawnFiveTimesASecondAtMost) {
  {
    Progress progress(clock_, "callbacks", 0, pipe_[1], /*shown=*/true);
    for (int i = 1; i <= 1000; ++i) {
      clock_.now += Millis(1);
      progress.Update(i);
    }
  }
  const std::string written = Written();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\r'), 5 + 1);  // And one to wipe it.
}

TEST_F(ProgressTest, NothingIsWrittenWhereNobodyWatches) {
  {
    Progress progress(clock_, "callbacks", 10, pipe_[1], /*shown=*/false);
    clock_.now += Seconds(2);
    progress.Update(5);
  }
  EXPECT_EQ(Written(), "");
}

TEST(WithThousandsTest, GroupsDigitsByThree) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace relay

#include "cli/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "relay/random.h"

namespace relay {
namespace {

TEST(LatencyHistogramTest, NothingRecordedIsZero) {
  EXPECT_EQ(LatencyHistogram().Percentile(99), Micros(0));
}

TEST(LatencyHistogramTest, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 200; ++us) histogram.Record(Micros(us));
  EXPECT_EQ(histogram.Percentile(50), Micros(100));
  EXPECT_EQ(histogram.Percentile(99), Micros(198));
  EXPECT_EQ(histogram.Percentile(100), Micros(200));
}

// A budget is judged by these figures, so they must be right at every magnitude.
TEST(LatencyHistogramTest, PercentilesAreRightToWithinOneHundredthAtEveryMagnitude) {
  Random random(7);
  LatencyHistogram histogram;
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<int64_t>(std::exp(random.Unit() * std::log(1e10))));
    histogram.Record(Micros(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {0.01, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<size_t>(std::ceil(percent / 100 * 20'000));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto told = static_cast<double>(histogram.Percentile(percent).count());
    EXPECT_GE(told, exact) << percent;
    EXPECT_LE(told, exact * 1.008 + 1) << percent;
  }
}

TEST(LatencyHistogramTest, AbsurdValuesAreCountedAtTheEnds) {
  LatencyHistogram histogram;
  histogram.Record(Micros(-5));
  histogram.Record(Micros(int64_t{1} << 50));
  EXPECT_EQ(histogram.Percentile(50), Micros(0));
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max(), Micros(int64_t{1} << 50));
}

TEST(LatencyHistogramTest, MergedIsAsIfRecordedInOne) {
  LatencyHistogram low;
  LatencyHistogram high;
  for (int i = 0; i < 99; ++i) low.Record(Micros(10));
  high.Record(Micros(200));
  low.Merge(high);
  EXPECT_EQ(low.count(), 100u);
  EXPECT_EQ(low.Percentile(99), Micros(10));
  EXPECT_EQ(low.Percentile(100), Micros(200));
}

}  // namespace
}  // namespace relay

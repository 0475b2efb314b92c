#include "relay/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, AskingTwiceGivesTheSameSeries) {
  Metrics metrics;
  metrics.GetCounter("relay_accepted_total", "Accepted.", {{"source", "demo"}}).Increment();
  metrics.GetCounter("relay_accepted_total", "Accepted.", {{"source", "demo"}}).Increment();
  metrics.GetCounter("relay_accepted_total", "Accepted.", {{"source", "other"}}).Increment();
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("relay_accepted_total{source=\"demo\"} 2"));
  EXPECT_THAT(text, HasSubstr("relay_accepted_total{source=\"other\"} 1"));
}

TEST(MetricsTest, AHistogramSeesSubMillisecondTimes) {
  Metrics metrics;
  metrics.GetHistogram("relay_ack_seconds", "Ack.").Observe(0.0004);
  EXPECT_THAT(metrics.Text(), HasSubstr("relay_ack_seconds_bucket{le=\"0.0005\"} 1"));
}

}  // namespace
}  // namespace relay

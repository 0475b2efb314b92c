#include "relay/units.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(Units, DurationsAreANumberAndAUnit) {
  EXPECT_EQ(*ParseDuration("250ms"), Millis(250));
  EXPECT_EQ(*ParseDuration("15s"), Millis(15000));
  EXPECT_EQ(*ParseDuration("10m"), Millis(600000));
  EXPECT_EQ(*ParseDuration("48h"), Millis(172800000));
  EXPECT_EQ(*ParseDuration("30d"), Millis(2592000000));
  for (const char* wrong : {"", "s", "15", "15 s", "-1s", "1.5s", "15sec", "99999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

TEST(Units, DurationsPrintInTheLargestUnitThatIsExact) {
  EXPECT_EQ(FormatDuration(Millis(0)), "0s");
  EXPECT_EQ(FormatDuration(Millis(1500)), "1500ms");
  EXPECT_EQ(FormatDuration(Millis(90000)), "90s");
  EXPECT_EQ(FormatDuration(Millis(120000)), "2m");
  EXPECT_EQ(FormatDuration(Millis(172800000)), "2d");
}

TEST(Units, SizesAreANumberAndABinaryUnit) {
  EXPECT_EQ(*ParseBytes("64KiB"), 65536);
  EXPECT_EQ(*ParseBytes("1MiB"), 1048576);
  EXPECT_EQ(*ParseBytes("2GiB"), 2147483648);
  EXPECT_EQ(*ParseBytes("1000"), 1000);
  for (const char* wrong : {"", "KiB", "64KB", "64 KiB", "-1", "1.5MiB", "99999999999GiB"}) {
    EXPECT_FALSE(ParseBytes(wrong).ok()) << wrong;
  }
  EXPECT_EQ(FormatBytes(65536), "64KiB");
  EXPECT_EQ(FormatBytes(1000), "1000");
  EXPECT_EQ(FormatBytes(0), "0");
}

}  // namespace
}  // namespace relay

#include "workers/retry_after.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const WallTime kThen{seconds(784111777)};

TEST(RetryAfterTest, ReadsSeconds) {
  EXPECT_EQ(ParseRetryAfter("120", kThen), seconds(120));
  EXPECT_EQ(ParseRetryAfter("0", kThen), seconds(0));
}

TEST(RetryAfterTest, ReadsTheThreeFormsOfADate) {
  const WallTime before = kThen - seconds(90);
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", before), seconds(90));
  EXPECT_EQ(ParseRetryAfter("Sunday, 06-Nov-94 08:49:37 GMT", before), seconds(90));
  EXPECT_EQ(ParseRetryAfter("Sun Nov  6 08:49:37 1994", before), seconds(90));
}

TEST(RetryAfterTest, ADateThatHasPassedIsNoDelay) {
  EXPECT_EQ(ParseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", kThen + hours(1)), seconds(0));
}

TEST(RetryAfterTest, NothingAsksForMoreThanADay) {
  EXPECT_EQ(ParseRetryAfter("86401", kThen), hours(24));
  EXPECT_EQ(ParseRetryAfter("99999999999999999999999999", kThen), hours(24));
  EXPECT_EQ(ParseRetryAfter("Fri, 31 Dec 9999 23:59:59 GMT", kThen), hours(24));
}

TEST(RetryAfterTest, WhatIsNeitherIsNoDelay) {
  for (const char* text : {"", "-1", "+5", "1.5", "soon", "12 apples", "0x10",
                           "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT junk"}) {
    EXPECT_EQ(ParseRetryAfter(text, kThen - hours(1)), seconds(0)) << text;
  }
}

}  // namespace
}  // namespace relay

#include "relay/status.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(StatusTest, SaysItsCodeAndItsText) {
  EXPECT_EQ(Status::Ok().ToString(), "ok");
  EXPECT_EQ(Status::Unavailable("redis is away").ToString(), "unavailable: redis is away");
}

TEST(ResultTest, HoldsAValueOrTheReasonWhyNot) {
  Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  EXPECT_TRUE(good.status().ok());

  Result<int> bad = Status::NotFound("nothing there");
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kNotFound);
}

TEST(ResultDeathTest, ReadingAMissingValueStopsTheProcess) {
  Result<int> bad = Status::NotFound("nothing there");
  EXPECT_DEATH(static_cast<void>(*bad), "broken invariant");
}

}  // namespace
}  // namespace relay

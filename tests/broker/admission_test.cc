#include "broker/admission.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  Tenant TenantWithRate(int64_t accept_per_s) {
    Tenant tenant;
    tenant.id = "acme";
    tenant.limits.accept_per_s = accept_per_s;
    return tenant;
  }
  int AcceptedOf(int tries, const Tenant& tenant) {
    int accepted = 0;
    for (int i = 0; i < tries; ++i) accepted += !admission_.RefuseTenant(tenant);
    return accepted;
  }

  SimulatedLoop loop_;
  Metrics metrics_;
  Admission admission_{loop_.clock(), {.in_flight_max = 3, .in_flight_bytes = 1000}, metrics_};
};

TEST_F(AdmissionTest, StoresUnderWayAreBounded) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(admission_.RefuseRequest(10));
    admission_.Begin(10);
  }
  const auto refusal = admission_.RefuseRequest(10);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 503);
  EXPECT_EQ(refusal->reason, "in_flight");
  EXPECT_GT(refusal->retry_after, Seconds(0));
  admission_.End(10);
  EXPECT_FALSE(admission_.RefuseRequest(10));
}

TEST_F(AdmissionTest, TheirBytesAreBounded) {
  admission_.Begin(900);
  EXPECT_FALSE(admission_.RefuseRequest(100));
  ASSERT_TRUE(admission_.RefuseRequest(101));
  EXPECT_EQ(admission_.RefuseRequest(101)->reason, "in_flight_bytes");
  admission_.End(900);
  EXPECT_FALSE(admission_.RefuseRequest(101));
}

TEST_F(AdmissionTest, ATenantsRateHoldsOverTime) {
  const Tenant tenant = TenantWithRate(100);
  EXPECT_EQ(AcceptedOf(1000, tenant), 100);
  loop_.Advance(Millis(500));
  EXPECT_EQ(AcceptedOf(1000, tenant), 50);
  loop_.Advance(Seconds(60));
  EXPECT_EQ(AcceptedOf(1000, tenant), 100);
  EXPECT_EQ(admission_.RefuseTenant(tenant)->status, 429);
}

TEST_F(AdmissionTest, ARateOfOneASecondLetsOneThrough) {
  const Tenant tenant = TenantWithRate(1);
  EXPECT_EQ(AcceptedOf(5, tenant), 1);
  loop_.Advance(Millis(999));
  EXPECT_EQ(AcceptedOf(5, tenant), 0);
  loop_.Advance(Millis(1));
  EXPECT_EQ(AcceptedOf(5, tenant), 1);
}

TEST_F(AdmissionTest, ATenantsRateIsItsOwn) {
  const Tenant tenant = TenantWithRate(1);
  EXPECT_EQ(AcceptedOf(5, tenant), 1);
  Tenant other = tenant;
  other.id = "globex";
  EXPECT_EQ(AcceptedOf(5, other), 1);
  EXPECT_EQ(AcceptedOf(1000, TenantWithRate(0)), 1000);
}

TEST_F(AdmissionTest, ShortMemoryShedsTenantsOverTheirQuotaFirst) {
  const Tenant tenant = TenantWithRate(0);
  admission_.SetMemoryShare(0.80);
  EXPECT_FALSE(admission_.RefuseTenant(tenant));
  admission_.SetOverQuota({"acme"});
  ASSERT_TRUE(admission_.RefuseTenant(tenant));
  EXPECT_EQ(admission_.RefuseTenant(tenant)->status, 429);
  EXPECT_EQ(admission_.RefuseTenant(tenant)->reason, "held_quota");
  EXPECT_FALSE(admission_.RefuseRequest(1));

  admission_.SetMemoryShare(0.74);
  EXPECT_FALSE(admission_.RefuseTenant(tenant));
  // What was known then is forgotten.
  admission_.SetMemoryShare(0.80);
  EXPECT_FALSE(admission_.RefuseTenant(tenant));
}

TEST_F(AdmissionTest, VeryShortMemoryRefusesEverybody) {
  admission_.SetMemoryShare(0.85);
  ASSERT_TRUE(admission_.RefuseRequest(1));
  EXPECT_EQ(admission_.RefuseRequest(1)->status, 503);
  EXPECT_EQ(admission_.RefuseRequest(1)->reason, "memory_full");
}

TEST_F(AdmissionTest, ARedisWithoutALimitIsNeverShort) {
  EXPECT_EQ(MemoryShare(1 << 30, 0), 0);
  EXPECT_EQ(MemoryShare(75, 100), 0.75);
}

}  // namespace
}  // namespace relay

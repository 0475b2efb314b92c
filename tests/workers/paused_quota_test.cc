#include "workers/paused_quota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

constexpr int kQuotaPartitions = 2;

// A tenant with a quota of 100 deliveries and 1,000 bytes; "a" and "b" are paused, "c" is not.
class PausedQuotaTest : public testing::Test {
 protected:
  PausedQuotaTest() {
    Tenant acme;
    acme.id = "acme";
    acme.limits.held_deliveries = 100;
    acme.limits.held_bytes = 1000;
    for (const char* id : {"a", "b", "c"}) {
      Endpoint endpoint;
      endpoint.id = id;
      endpoint.number = acme.endpoints.size() + 1;
      endpoint.state = *id == 'c' ? EndpointState::kActive : EndpointState::kPaused;
      acme.endpoints.push_back(std::move(endpoint));
    }
    SetCatalog(acme);
    redis_.On("HMGET", [this](const FakeRedisCall&) {
      return RedisValue::Array({RedisValue::Text(std::to_string(charged_deliveries_)),
                                RedisValue::Text(std::to_string(charged_bytes_))});
    });
    redis_.On("ZCARD", [this](const FakeRedisCall& call) {
      return RedisValue::Integer(waiting_[call.args[0].substr(call.args[0].rfind(':') + 1)]);
    });
  }

  void SetCatalog(const Tenant& tenant) {
    Catalog catalog;
    catalog.tenants = {tenant};
    table_.SetCatalog(CatalogSnapshot::Of(catalog));
  }
  const Tenant& acme() { return *table_.catalog()->FindTenant("acme"); }
  // Whether a delivery is held a round after one has come.
  bool AdmitsAfterARound() {
    quota_.Admits(acme());
    loop_.Advance(PausedQuota::kInterval);
    loop_.RunReady();
    return quota_.Admits(acme());
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  std::unique_ptr<Log> log_ = Log::Silent();
  EndpointTable table_{CatalogSnapshot::Of({}), *log_};
  PausedQuota quota_{loop_, redis_, kQuotaPartitions, table_, *log_};
  // Of each partition.
  int64_t charged_deliveries_ = 0;
  int64_t charged_bytes_ = 0;
  std::map<std::string, int64_t> waiting_;  // By endpoint.
};

TEST_F(PausedQuotaTest, AsksNothingWhileNothingComesForAPausedEndpoint) {
  loop_.Advance(Seconds(10));
  EXPECT_TRUE(redis_.calls().empty());
}

TEST_F(PausedQuotaTest, OneWhoIsChargedLessThanItsQuotaHoldsLess) {
  charged_deliveries_ = 49;
  charged_bytes_ = 499;
  EXPECT_TRUE(AdmitsAfterARound());
  EXPECT_EQ(redis_.CountOf("HMGET"), kQuotaPartitions);
  EXPECT_EQ(redis_.CountOf("ZCARD"), 0);
}

TEST_F(PausedQuotaTest, WhatWaitsForAllPausedEndpointsInAllPartitionsCounts) {
  charged_deliveries_ = 100;
  waiting_ = {{"1", 25}, {"2", 24}, {"3", 1000}};
  EXPECT_TRUE(AdmitsAfterARound());
  waiting_["2"] = 25;
  EXPECT_FALSE(AdmitsAfterARound());
  waiting_["1"] = 24;
  EXPECT_TRUE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, DeadLettersAreChargedAndNotHeld) {
  charged_deliveries_ = 100'000;
  charged_bytes_ = 1'000'000;
  waiting_ = {{"1", 1}};
  EXPECT_TRUE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, BytesCountInTheirShareOfWhatIsCharged) {
  charged_deliveries_ = 40;
  charged_bytes_ = 600;
  waiting_ = {{"1", 20}, {"2", 13}};
  EXPECT_TRUE(AdmitsAfterARound());  // 66 of 80 deliveries: 990 of 1,200 bytes.
  waiting_["2"] = 14;
  EXPECT_FALSE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, AResumedEndpointHoldsNothing) {
  charged_deliveries_ = 100;
  waiting_ = {{"1", 100}};
  EXPECT_FALSE(AdmitsAfterARound());
  Tenant resumed = acme();
  for (Endpoint& endpoint : resumed.endpoints) endpoint.state = EndpointState::kActive;
  SetCatalog(resumed);
  EXPECT_TRUE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, AQuotaOfNothingIsNone) {
  Tenant unlimited = acme();
  unlimited.limits.held_deliveries = 0;
  unlimited.limits.held_bytes = 0;
  SetCatalog(unlimited);
  charged_deliveries_ = 1'000'000;
  charged_bytes_ = 1'000'000'000;
  waiting_ = {{"1", 1'000'000}};
  EXPECT_TRUE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, WhenRedisDoesNotAnswerWhatWasKnownStaysInForce) {
  charged_deliveries_ = 100;
  waiting_ = {{"1", 100}};
  EXPECT_FALSE(AdmitsAfterARound());
  redis_.On("ZCARD", RedisValue::Error("LOADING"));
  waiting_["1"] = 0;
  EXPECT_FALSE(AdmitsAfterARound());
}

TEST_F(PausedQuotaTest, ATenantForWhichNothingComesIsForgotten) {
  charged_deliveries_ = 100;
  waiting_ = {{"1", 100}};
  EXPECT_FALSE(AdmitsAfterARound());
  loop_.Advance(PausedQuota::kAskedFor + Seconds(2));
  redis_.ForgetCalls();
  loop_.Advance(Seconds(10));
  EXPECT_TRUE(redis_.calls().empty());
}

}  // namespace
}  // namespace relay

#include "broker/held_quota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::ElementsAre;

class HeldQuotaTest : public testing::Test {
 protected:
  HeldQuotaTest() {
    Catalog catalog;
    Tenant acme;
    acme.id = "acme";
    acme.limits.held_deliveries = 100;
    acme.limits.held_bytes = 1000;
    catalog.tenants = {acme};
    catalog_ = CatalogSnapshot::Of(catalog);
    quota_.SetCatalog(catalog_);
  }

  const Tenant& acme() { return *catalog_->FindTenant("acme"); }
  void AnswerBothPartitions(const std::string& deliveries, const std::string& bytes) {
    for (int i = 0; i < 2; ++i) {
      redis_.Answer(RedisValue::Array({RedisValue::Text(deliveries), RedisValue::Text(bytes)}));
    }
    loop_.RunReady();
  }
  bool AcmeIsRefused() { return admission_.RefuseTenant(acme()).has_value(); }

  SimulatedLoop loop_;
  Metrics metrics_;
  FakeRedis redis_{loop_};
  Admission admission_{loop_.clock(), {}, metrics_};
  HeldQuota quota_{loop_, redis_, 2, admission_};
  CatalogPtr catalog_;
};

TEST_F(HeldQuotaTest, AsksNothingWhileThereIsMemory) {
  quota_.NoteActive(acme());
  loop_.Advance(Seconds(5));
  EXPECT_TRUE(redis_.calls().empty());
}

TEST_F(HeldQuotaTest, AddsUpWhatATenantHoldsInAllPartitions) {
  admission_.SetMemoryShare(0.8);
  quota_.NoteActive(acme());
  loop_.Advance(HeldQuota::kInterval);
  ASSERT_EQ(redis_.unanswered(), 2u);
  EXPECT_THAT(redis_.Oldest().args,
              ElementsAre(PartitionKeys::For(0, 2).tenants, "acme/d", "acme/b"));
  AnswerBothPartitions("49", "10");
  EXPECT_FALSE(AcmeIsRefused());

  quota_.NoteActive(acme());
  loop_.Advance(HeldQuota::kInterval);
  AnswerBothPartitions("50", "10");
  EXPECT_TRUE(AcmeIsRefused());
}

TEST_F(HeldQuotaTest, BytesCountAsMuchAsDeliveries) {
  admission_.SetMemoryShare(0.8);
  quota_.NoteActive(acme());
  loop_.Advance(HeldQuota::kInterval);
  AnswerBothPartitions("1", "500");
  EXPECT_TRUE(AcmeIsRefused());
}

TEST_F(HeldQuotaTest, ATenantThatDrainsIsLetInAgain) {
  admission_.SetMemoryShare(0.8);
  for (const char* held : {"100", "1"}) {
    quota_.NoteActive(acme());
    loop_.Advance(HeldQuota::kInterval);
    AnswerBothPartitions(held, "1");
  }
  EXPECT_FALSE(AcmeIsRefused());
}

TEST_F(HeldQuotaTest, HalfAnAnswerChangesNothing) {
  admission_.SetMemoryShare(0.8);
  quota_.NoteActive(acme());
  loop_.Advance(HeldQuota::kInterval);
  AnswerBothPartitions("100", "1");
  EXPECT_TRUE(AcmeIsRefused());
  quota_.NoteActive(acme());
  loop_.Advance(HeldQuota::kInterval);
  redis_.Answer(RedisValue::Array({RedisValue::Nil(), RedisValue::Nil()}));
  redis_.Answer(RedisValue::Error("LOADING"));
  loop_.RunReady();
  EXPECT_TRUE(AcmeIsRefused());
}

}  // namespace
}  // namespace relay

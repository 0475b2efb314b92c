#include "relay/catalog_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/catalog_json.h"
#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Catalog WithEndpoints(std::vector<std::string> ids) {
  Catalog catalog;
  Tenant tenant;
  tenant.id = "acme";
  for (std::string& id : ids) {
    Endpoint endpoint;
    endpoint.id = std::move(id);
    endpoint.url = "https://a.example/";
    endpoint.signing_key = "secret";
    endpoint.retry_schedule = DefaultRetrySchedule();
    tenant.endpoints.push_back(endpoint);
  }
  catalog.tenants.push_back(tenant);
  return catalog;
}

RedisValue Changes(const std::string& id) {
  return RedisValue::Array({RedisValue::Array(
      {RedisValue::Text(id), RedisValue::Array({RedisValue::Text("version"), RedisValue()})})});
}

class CatalogStoreTest : public testing::Test {
 protected:
  CatalogStoreTest() : box_(SecretBox::FromKey({})), log_(Log::Silent()), redis_(loop_) {
    redis_.On("HGETALL", RedisValue::Array({}));
    redis_.On("XREVRANGE", RedisValue::Array({}));
    store_ = std::make_unique<CatalogStore>(loop_, redis_, box_, *log_);
  }

  // What Redis holds from now on.
  void Hold(uint64_t version, const Catalog& catalog, const std::string& change) {
    HoldText(version, EncodeCatalog(catalog, box_), change);
  }
  void HoldText(uint64_t version, const std::string& text, const std::string& change) {
    const RedisValue number = RedisValue::Text(std::to_string(version));
    redis_.On("HGET", number);
    redis_.On("HMGET", RedisValue::Array({number, RedisValue::Text(text), RedisValue::Text("9")}));
    redis_.On("XREVRANGE", Changes(change));
  }
  void Watch() {
    store_->Watch([this](CatalogPtr catalog) { seen_.push_back(catalog->version); });
    loop_.RunReady();
  }
  CatalogStore::OnCatalog Note() {
    return [this](Result<CatalogPtr> catalog) { loaded_.push_back(std::move(catalog)); };
  }

  SimulatedLoop loop_;
  SecretBox box_;
  std::unique_ptr<Log> log_;
  FakeRedis redis_;
  std::unique_ptr<CatalogStore> store_;
  std::vector<uint64_t> seen_;
  std::vector<Result<CatalogPtr>> loaded_;
};

TEST_F(CatalogStoreTest, TheSnapshotIsNeverNull) {
  ASSERT_TRUE(store_->snapshot());
  EXPECT_EQ(store_->snapshot()->version, 0u);
}

TEST_F(CatalogStoreTest, LoadReadsWhatRedisHolds) {
  Hold(3, WithEndpoints({"a"}), "1-1");
  store_->Load(Note());
  EXPECT_THAT(loaded_, IsEmpty());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  ASSERT_TRUE(loaded_[0].ok()) << loaded_[0].status().text();
  EXPECT_EQ((*loaded_[0])->version, 3u);
  EXPECT_EQ((*loaded_[0])->tenants[0].endpoints[0].signing_key, "secret");
  EXPECT_EQ(*loaded_[0], store_->snapshot());
}

TEST_F(CatalogStoreTest, NothingAppliedIsAnEmptyCatalog) {
  redis_.On("HGET", RedisValue::Nil());
  redis_.On("HMGET", RedisValue::Array({RedisValue(), RedisValue(), RedisValue()}));
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  ASSERT_TRUE(loaded_[0].ok());
  EXPECT_EQ((*loaded_[0])->version, 0u);
}

TEST_F(CatalogStoreTest, AnAnnouncedChangeIsSwappedInWithinAPoll) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  EXPECT_THAT(seen_, ElementsAre(1u));
  Hold(2, WithEndpoints({"a", "b"}), "2-1");
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_THAT(seen_, ElementsAre(1u, 2u));
  EXPECT_THAT(store_->snapshot()->tenants[0].endpoints, SizeIs(2));
}

TEST_F(CatalogStoreTest, WithoutAChangeNothingIsReadAgain) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  loop_.Advance(20 * CatalogStore::kPollInterval);
  EXPECT_EQ(redis_.CountOf("HMGET"), 1);
  EXPECT_THAT(seen_, ElementsAre(1u));
}

// With 100,000 tenants the text is large; pausing one endpoint must not send it to everyone.
TEST_F(CatalogStoreTest, AStateChangeSwapsWithoutReadingTheText) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.On("XREVRANGE", Changes("2-1"));
  redis_.On("HGETALL",
            RedisValue::Array({RedisValue::Text("7"),
                               RedisValue::Text(R"({"paused":true,"disabled":false,"reason":"r",)"
                                                R"("since_ms":5})")}));
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_THAT(seen_, ElementsAre(1u, 1u));
  EXPECT_TRUE(store_->snapshot()->runtime.at(7).paused);
  EXPECT_TRUE(store_->snapshot()->FindTenant("acme"));
  EXPECT_EQ(redis_.CountOf("HMGET"), 1);
}

TEST_F(CatalogStoreTest, TheLastSnapshotStaysWhileRedisIsAway) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.TakeDown();
  loop_.Advance(4 * CatalogStore::kPollInterval);
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ(loaded_[0].status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->snapshot()->version, 1u);
}

// A server that lost its last writes may have given the same version number to another catalog.
TEST_F(CatalogStoreTest, AnotherServerIsReadAnewWhateverItsVersion) {
  Hold(2, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.TakeDown();
  Hold(2, WithEndpoints({"b"}), "1-1");
  redis_.BringUp("run-2");
  loop_.RunReady();
  EXPECT_EQ(store_->snapshot()->tenants[0].endpoints[0].id, "b");
}

TEST_F(CatalogStoreTest, AnUnreadableCatalogLeavesTheLastOneAndIsReadOnce) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  HoldText(2, "nonsense\n", "2-1");
  loop_.Advance(8 * CatalogStore::kPollInterval);
  EXPECT_EQ(store_->snapshot()->version, 1u);
  EXPECT_EQ(redis_.CountOf("HMGET"), 2);
  Hold(3, WithEndpoints({"a"}), "3-1");
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_EQ(store_->snapshot()->version, 3u);
}

TEST_F(CatalogStoreTest, EnsureVersionLoadsAtOnceAndOnlyOnceForAll) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  Hold(2, WithEndpoints({"b"}), "2-1");
  for (int i = 0; i < 3; ++i) store_->EnsureVersion(2, Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(3));
  for (const auto& loaded : loaded_) EXPECT_EQ((*loaded)->version, 2u);
  EXPECT_EQ(redis_.CountOf("HMGET"), 2);
}

TEST_F(CatalogStoreTest, EnsureVersionOfAHeldOneAsksNobody) {
  Hold(2, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.ForgetCalls();
  store_->EnsureVersion(1, Note());
  EXPECT_THAT(loaded_, IsEmpty());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_THAT(redis_.calls(), IsEmpty());
}

// The reading under way may be older than the version that is asked for.
TEST_F(CatalogStoreTest, EnsureVersionDuringAReadingDoesNotTakeItsOlderResult) {
  redis_.Off("HGETALL");
  redis_.Off("XREVRANGE");
  store_->Load(Note());
  store_->EnsureVersion(2, Note());
  redis_.Answer(Changes("1-1"));
  redis_.Answer(RedisValue::Array({}));
  redis_.Answer(RedisValue::Text("1"));
  loop_.RunReady();
  redis_.Answer(RedisValue::Array({RedisValue::Text("1"),
                                   RedisValue::Text(EncodeCatalog(WithEndpoints({"a"}), box_)),
                                   RedisValue::Text("2")}));
  redis_.On("HGETALL", RedisValue::Array({}));
  Hold(2, WithEndpoints({"b"}), "2-1");
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(2));
  EXPECT_EQ((*loaded_[0])->version, 1u);
  EXPECT_EQ((*loaded_[1])->version, 2u);
}

TEST_F(CatalogStoreTest, AVersionThatRedisHasLostIsNotWaitedForForEver) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  store_->EnsureVersion(5, Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ((*loaded_[0])->version, 1u);
}

TEST_F(CatalogStoreTest, AnErrorOfRedisIsAStatus) {
  redis_.On("HGET", RedisValue::Error("LOADING Redis is loading the dataset in memory"));
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ(loaded_[0].status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(loaded_[0].status().text(), HasSubstr("LOADING"));
}

TEST_F(CatalogStoreTest, ACallbackMayEndTheStore) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  store_->Load([this](Result<CatalogPtr>) { store_.reset(); });
  store_->Load(Note());
  loop_.RunReady();
  EXPECT_FALSE(store_);
  EXPECT_THAT(loaded_, IsEmpty());
}

}  // namespace
}  // namespace relay

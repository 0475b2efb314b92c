#include "relay/catalog_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/catalog_in_redis.h"
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
    held_ = CatalogInRedis(catalog, version, box_);
    redis_.On("HGET", [this](const FakeRedisCall& call) { return held_.Get(call); });
    redis_.On("HMGET", [this](const FakeRedisCall&) { return held_.Manifest(); });
    redis_.On("XREVRANGE", Changes(change));
  }
  // Texts of tenants that were asked for so far.
  int PartsRead() const {
    return static_cast<int>(
        std::count_if(redis_.calls().begin(), redis_.calls().end(), [](const FakeRedisCall& call) {
          return call.verb == "HGET" && call.args[0] == kCatalogPartsKey;
        }));
  }
  void Watch() {
    store_->Watch([this](CatalogPtr catalog) { seen_.push_back(catalog->version()); });
    loop_.RunReady();
  }
  CatalogStore::OnCatalog Note() {
    return [this](Result<CatalogPtr> catalog) { loaded_.push_back(std::move(catalog)); };
  }

  SimulatedLoop loop_;
  SecretBox box_;
  std::unique_ptr<Log> log_;
  FakeRedis redis_;
  CatalogInRedis held_;
  std::unique_ptr<CatalogStore> store_;
  std::vector<uint64_t> seen_;
  std::vector<Result<CatalogPtr>> loaded_;
};

TEST_F(CatalogStoreTest, TheSnapshotIsNeverNull) {
  ASSERT_TRUE(store_->snapshot());
  EXPECT_EQ(store_->snapshot()->version(), 0u);
}

TEST_F(CatalogStoreTest, LoadReadsWhatRedisHolds) {
  Hold(3, WithEndpoints({"a"}), "1-1");
  store_->Load(Note());
  EXPECT_THAT(loaded_, IsEmpty());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  ASSERT_TRUE(loaded_[0].ok()) << loaded_[0].status().text();
  EXPECT_EQ((*loaded_[0])->version(), 3u);
  EXPECT_EQ((*loaded_[0])->FindTenant("acme")->endpoints[0].signing_key, "secret");
  EXPECT_EQ(*loaded_[0], store_->snapshot());
}

TEST_F(CatalogStoreTest, NothingAppliedIsAnEmptyCatalog) {
  redis_.On("HGET", RedisValue::Nil());
  redis_.On("HMGET", RedisValue::Array({RedisValue(), RedisValue(), RedisValue()}));
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  ASSERT_TRUE(loaded_[0].ok());
  EXPECT_EQ((*loaded_[0])->version(), 0u);
}

TEST_F(CatalogStoreTest, AnAnnouncedChangeIsSwappedInWithinAPoll) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  EXPECT_THAT(seen_, ElementsAre(1u));
  Hold(2, WithEndpoints({"a", "b"}), "2-1");
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_THAT(seen_, ElementsAre(1u, 2u));
  EXPECT_THAT(store_->snapshot()->FindTenant("acme")->endpoints, SizeIs(2));
}

TEST_F(CatalogStoreTest, WithoutAChangeNothingIsReadAgain) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  loop_.Advance(20 * CatalogStore::kPollInterval);
  EXPECT_EQ(redis_.CountOf("HMGET"), 1);
  EXPECT_THAT(seen_, ElementsAre(1u));
}

// A manifest of 100,000 tenants is some 50 KB; pausing one endpoint must not send it to everyone.
TEST_F(CatalogStoreTest, AStateChangeSwapsWithoutReadingTheCatalog) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.On("XREVRANGE", Changes("2-1"));
  redis_.On("HGETALL",
            RedisValue::Array({RedisValue::Text("7"),
                               RedisValue::Text(R"({"paused":true,"disabled":false,"reason":"r",)"
                                                R"("since_ms":5})")}));
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_THAT(seen_, ElementsAre(1u, 1u));
  EXPECT_TRUE(store_->snapshot()->runtime().at(7).paused);
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
  EXPECT_EQ(store_->snapshot()->version(), 1u);
}

// A server that lost its last writes may have given the same version number to another catalog.
TEST_F(CatalogStoreTest, AnotherServerIsReadAnewWhateverItsVersion) {
  Hold(2, WithEndpoints({"a"}), "1-1");
  Watch();
  redis_.TakeDown();
  Hold(2, WithEndpoints({"b"}), "1-1");
  redis_.BringUp("run-2");
  loop_.RunReady();
  EXPECT_EQ(store_->snapshot()->FindTenant("acme")->endpoints[0].id, "b");
}

TEST_F(CatalogStoreTest, AnUnreadableCatalogLeavesTheLastOneAndIsReadOnce) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  Hold(2, WithEndpoints({"b"}), "2-1");
  held_.parts().begin()->second += "nonsense\n";
  loop_.Advance(8 * CatalogStore::kPollInterval);
  EXPECT_EQ(store_->snapshot()->version(), 1u);
  EXPECT_EQ(redis_.CountOf("HMGET"), 2);
  Hold(3, WithEndpoints({"a"}), "3-1");
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_EQ(store_->snapshot()->version(), 3u);
}

TEST_F(CatalogStoreTest, EnsureVersionLoadsAtOnceAndOnlyOnceForAll) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  Watch();
  Hold(2, WithEndpoints({"b"}), "2-1");
  for (int i = 0; i < 3; ++i) store_->EnsureVersion(2, Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(3));
  for (const auto& loaded : loaded_) EXPECT_EQ((*loaded)->version(), 2u);
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
  CatalogInRedis first(WithEndpoints({"a"}), 1, box_);
  redis_.Answer(first.Manifest());
  loop_.RunReady();
  redis_.Answer(RedisValue::Text(first.parts().begin()->second));
  redis_.On("HGETALL", RedisValue::Array({}));
  Hold(2, WithEndpoints({"b"}), "2-1");
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(2));
  EXPECT_EQ((*loaded_[0])->version(), 1u);
  EXPECT_EQ((*loaded_[1])->version(), 2u);
}

TEST_F(CatalogStoreTest, AVersionThatRedisHasLostIsNotWaitedForForEver) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  store_->EnsureVersion(5, Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ((*loaded_[0])->version(), 1u);
}

// 100,000 tenants lie in a thousand parts: a change of one costs one of them.
TEST_F(CatalogStoreTest, OnlyPartsThatChangedAreRead) {
  Catalog catalog = WithEndpoints({"a"});
  for (int i = 0; i < 50; ++i) {
    catalog.tenants.push_back(Tenant());
    catalog.tenants.back().id = "tenant-" + std::to_string(i);
  }
  Hold(1, catalog, "1-1");
  Watch();
  const int all = PartsRead();
  EXPECT_GT(all, 40);
  const Tenant* acme = store_->snapshot()->FindTenant("acme");
  catalog.tenants.back().appids = {"7"};
  Hold(2, catalog, "2-1");
  loop_.Advance(CatalogStore::kPollInterval);
  EXPECT_THAT(seen_, ElementsAre(1u, 2u));
  // The part that changed, and acme's: a secret that is sealed anew makes another text.
  EXPECT_EQ(PartsRead(), all + 2);
  EXPECT_EQ(store_->snapshot()->FindTenantByAppId("7"),
            store_->snapshot()->FindTenant("tenant-49"));
  EXPECT_EQ(store_->snapshot()->FindTenant("acme"), acme) << "the tenant says the same as before";
}

// A writer clears the parts away that its catalog does not name.
TEST_F(CatalogStoreTest, APartThatIsGoneMeansANewerCatalog) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  const RedisValue manifest = held_.Manifest();
  Hold(2, WithEndpoints({"b"}), "2-1");
  int asked = 0;
  redis_.On("HMGET",
            [&](const FakeRedisCall&) { return asked++ == 0 ? manifest : held_.Manifest(); });
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  ASSERT_TRUE(loaded_[0].ok()) << loaded_[0].status().text();
  EXPECT_EQ((*loaded_[0])->version(), 2u);
  EXPECT_EQ((*loaded_[0])->FindTenant("acme")->endpoints[0].id, "b");
}

TEST_F(CatalogStoreTest, APartThatIsNotThereAtAllIsNoCatalog) {
  Hold(1, WithEndpoints({"a"}), "1-1");
  held_.parts().clear();
  store_->Load(Note());
  loop_.RunReady();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ(loaded_[0].status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(redis_.CountOf("HMGET"), CatalogReader::kAttemptsMax);
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

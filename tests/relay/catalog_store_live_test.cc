// CatalogStore against a real redis-server: the scripts, and what two writers make of each other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/catalog_store.h"
#include "relay/redis_connection.h"
#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"

namespace relay {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Catalog StoredCatalog(const std::vector<std::string>& ids) {
  Catalog catalog;
  Tenant tenant;
  tenant.id = "acme";
  for (const std::string& id : ids) {
    Endpoint endpoint;
    endpoint.id = id;
    endpoint.url = "https://customer.example/";
    endpoint.signing_key = "hunter2";
    endpoint.retry_schedule = DefaultRetrySchedule();
    tenant.endpoints.push_back(endpoint);
  }
  catalog.tenants.push_back(tenant);
  return catalog;
}

class CatalogStoreLiveTest : public testing::Test {
 protected:
  CatalogStoreLiveTest() : box_(SecretBox::FromKey({})), log_(Log::Silent()) {
    const Status started = process_.Start();
    EXPECT_TRUE(started.ok()) << started.ToString();
    RedisConnectionOptions options;
    options.name = "test";
    options.address = process_.address();
    options.scripts = AllScripts();
    auto made = RedisConnection::Create(loop_, options, random_, *log_, metrics_);
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    redis_ = *std::move(made);
    EXPECT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
    store_.emplace(loop_, *redis_, box_, *log_);
  }

  Result<CatalogStore::Applied> Apply(Catalog catalog, std::optional<uint64_t> expected = {}) {
    std::optional<Result<CatalogStore::Applied>> out;
    store_->Apply(std::move(catalog), expected,
                  [&out](Result<CatalogStore::Applied> result) { out = std::move(result); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out.value_or(Status::Internal("no answer"));
  }
  CatalogPtr Load() {
    std::optional<Result<CatalogPtr>> out;
    store_->Load([&out](Result<CatalogPtr> result) { out = std::move(result); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    EXPECT_TRUE(out && out->ok());
    return out && out->ok() ? **out : std::make_shared<CatalogSnapshot>();
  }
  EndpointRuntimeState Change(uint64_t number, EndpointChange change, const std::string& reason) {
    std::optional<Result<EndpointRuntimeState>> out;
    store_->SetEndpointState(number, change, reason, [&out](Result<EndpointRuntimeState> result) {
      out = std::move(result);
    });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    EXPECT_TRUE(out && out->ok()) << out->status().text();
    return out && out->ok() ? **out : EndpointRuntimeState();
  }
  RedisValue Ask(const RedisCommand& command) {
    std::optional<Result<RedisValue>> out;
    redis_->Send(command, scope_, [&out](Result<RedisValue> reply) { out = std::move(reply); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out && out->ok() ? **out : RedisValue();
  }
  int64_t Changes() { return Ask(RedisCommand("XLEN").Arg(kCatalogChangesKey)).integer; }
  static std::vector<uint64_t> Numbers(const CatalogPtr& catalog) {
    std::vector<uint64_t> out;
    for (const Endpoint& endpoint : catalog->FindTenant("acme")->endpoints)
      out.push_back(endpoint.number);
    return out;
  }

  SystemLoop loop_;
  Random random_{7};
  SecretBox box_;
  std::unique_ptr<Log> log_;
  Metrics metrics_;
  RedisProcess process_;
  std::unique_ptr<RedisConnection> redis_;
  std::optional<CatalogStore> store_;
  CallScope scope_;
};

TEST_F(CatalogStoreLiveTest, WhatIsAppliedIsLoadedWithItsVersionAndNumbers) {
  const Result<CatalogStore::Applied> applied = Apply(StoredCatalog({"a", "b"}));
  ASSERT_TRUE(applied.ok()) << applied.status().text();
  EXPECT_EQ(applied->version, 1u);
  EXPECT_TRUE(applied->changed);
  const CatalogPtr catalog = Load();
  EXPECT_EQ(catalog->version(), 1u);
  EXPECT_THAT(Numbers(catalog), ElementsAre(1u, 2u));
  EXPECT_EQ(catalog->FindTenant("acme")->endpoints[0].signing_key, "hunter2");
  const RedisValue texts = Ask(RedisCommand("HVALS").Arg(kCatalogPartsKey));
  ASSERT_EQ(texts.items.size(), 1u);
  EXPECT_THAT(texts.items[0].text, AllOf(HasSubstr("customer"), Not(HasSubstr("hunter2"))));
}

TEST_F(CatalogStoreLiveTest, TheSameContentIsNoNewVersion) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  const Result<CatalogStore::Applied> again = Apply(StoredCatalog({"a"}));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->version, 1u);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(Changes(), 1);
}

// A number names Redis keys: given to another endpoint, it would hand over what the first is owed.
TEST_F(CatalogStoreLiveTest, NumbersFollowTheIdAndAreNeverUsedAgain) {
  ASSERT_TRUE(Apply(StoredCatalog({"a", "b"})).ok());
  ASSERT_TRUE(Apply(StoredCatalog({"b", "c"})).ok());
  EXPECT_THAT(Numbers(Load()), ElementsAre(2u, 3u));
  ASSERT_TRUE(Apply(StoredCatalog({"a", "b", "c"})).ok());
  EXPECT_THAT(Numbers(Load()), ElementsAre(4u, 2u, 3u));
}

TEST_F(CatalogStoreLiveTest, AnotherVersionThanExpectedIsAConflict) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"}), 0).ok());
  EXPECT_EQ(Apply(StoredCatalog({"b"}), 0).status().code(), StatusCode::kConflict);
  EXPECT_EQ(Load()->FindTenant("acme")->endpoints[0].id, "a");
  EXPECT_TRUE(Apply(StoredCatalog({"b"}), 1).ok());
}

TEST_F(CatalogStoreLiveTest, OfTwoWritersAtOnceBothSucceedOneAfterTheOther) {
  CatalogStore other(loop_, *redis_, box_, *log_);
  std::optional<Result<CatalogStore::Applied>> first, second;
  store_->Apply(StoredCatalog({"a"}), {}, [&first](auto result) { first = std::move(result); });
  other.Apply(StoredCatalog({"b"}), {}, [&second](auto result) { second = std::move(result); });
  ASSERT_TRUE(RunUntil(loop_, [&] { return first && second; }));
  ASSERT_TRUE(first->ok() && second->ok());
  EXPECT_EQ((*first)->version, 1u);
  EXPECT_EQ((*second)->version, 2u);
  // "b" took the number that "a" held only in the other's plan.
  EXPECT_THAT(Numbers(Load()), ElementsAre(2u));
}

// What is cleared away is all that the catalog in force does not name, and nothing else.
TEST_F(CatalogStoreLiveTest, PartsStandInRedisAsLongAsTheyAreInForce) {
  Catalog catalog = StoredCatalog({"a"});
  for (int i = 0; i < 3000; ++i) {
    catalog.tenants.push_back(Tenant());
    catalog.tenants.back().id = "tenant-" + std::to_string(i);
  }
  const auto parts = [this] { return Ask(RedisCommand("HLEN").Arg(kCatalogPartsKey)).integer; };
  Ask(RedisCommand("HSET").Arg(kCatalogPartsKey).Arg("left-by-a-writer-that-died").Arg("x"));
  ASSERT_TRUE(Apply(catalog).ok());
  EXPECT_EQ(Load()->tenant_count(), 3001u);
  const int64_t all = parts();
  EXPECT_GT(all, 900);
  EXPECT_LE(all, kCatalogParts);

  const CatalogPtr before = Load();
  catalog.tenants[7].appids = {"7"};
  ASSERT_TRUE(Apply(catalog).ok());
  EXPECT_EQ(parts(), all);
  const CatalogPtr after = Load();
  int changed = 0;
  for (int i = 0; i < kCatalogParts; ++i) changed += before->part(i) != after->part(i);
  EXPECT_EQ(changed, 1);

  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  EXPECT_EQ(parts(), 1);
  EXPECT_EQ(Load()->tenant_count(), 1u);
}

TEST_F(CatalogStoreLiveTest, ACatalogWhoseKeyIsLostCanBeReplacedAndKeepsItsNumbers) {
  ASSERT_TRUE(Apply(StoredCatalog({"a", "b"})).ok());
  SecretBox::Key key;
  key.fill(9);
  box_ = SecretBox::FromKey(key);
  ASSERT_TRUE(Apply(StoredCatalog({"b"})).ok());
  EXPECT_THAT(Numbers(Load()), ElementsAre(2u));
}

TEST_F(CatalogStoreLiveTest, RuntimeStateIsSetOnceAndCleared) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  const EndpointRuntimeState disabled = Change(1, EndpointChange::kDisable, "410 Gone");
  EXPECT_TRUE(disabled.disabled);
  EXPECT_EQ(disabled.reason, "410 Gone");
  EXPECT_GT(disabled.since_ms, 1'700'000'000'000);
  EXPECT_EQ(Changes(), 2);
  EXPECT_EQ(Change(1, EndpointChange::kDisable, "again"), disabled);
  EXPECT_EQ(Changes(), 2);

  EXPECT_EQ(Load()->runtime().at(1), disabled);
  EXPECT_TRUE(Change(1, EndpointChange::kPause, "by hand").paused);
  EXPECT_TRUE(Change(1, EndpointChange::kEnable, "").paused);
  EXPECT_EQ(Change(1, EndpointChange::kResume, ""), EndpointRuntimeState());
  EXPECT_THAT(Load()->runtime(), IsEmpty());
  EXPECT_EQ(Ask(RedisCommand("EXISTS").Arg(kEndpointStateKey)).integer, 0);
}

TEST_F(CatalogStoreLiveTest, WhoIsEnabledHasItsTimeAnewAndIsLetInSlowly) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  Ask(RedisCommand("HSET")
          .Arg(LaneKey(1))
          .Arg("failing_since")
          .Arg("5")
          .Arg("row")
          .Arg("7")
          .Arg("probe_at")
          .Arg("9"));
  Change(1, EndpointChange::kDisable, "by test");
  EXPECT_EQ(Ask(RedisCommand("HGET").Arg(LaneKey(1)).Arg("failing_since")).text, "5");
  Change(1, EndpointChange::kEnable, "");
  const RedisValue left = Ask(RedisCommand("HKEYS").Arg(LaneKey(1)));
  ASSERT_THAT(left.items, SizeIs(1));
  EXPECT_EQ(left.items[0].text, "slow_from");
}

TEST_F(CatalogStoreLiveTest, EnablingWhatHasNoLaneMakesNone) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  Change(1, EndpointChange::kDisable, "by test");
  Change(1, EndpointChange::kEnable, "");
  EXPECT_EQ(Ask(RedisCommand("EXISTS").Arg(LaneKey(1))).integer, 0);
}

TEST_F(CatalogStoreLiveTest, ApplyLeavesRuntimeStateOfWhatStaysAndForgetsTheRest) {
  ASSERT_TRUE(Apply(StoredCatalog({"a", "b"})).ok());
  Change(1, EndpointChange::kDisable, "410");
  Change(2, EndpointChange::kDisable, "410");
  ASSERT_TRUE(Apply(StoredCatalog({"b", "c"})).ok());
  const CatalogPtr catalog = Load();
  EXPECT_EQ(catalog->runtime().count(1), 0u);
  EXPECT_TRUE(catalog->runtime().at(2).disabled);
}

TEST_F(CatalogStoreLiveTest, AWatcherSeesAnothersChanges) {
  CatalogStore other(loop_, *redis_, box_, *log_);
  CatalogPtr seen;
  other.Watch([&seen](CatalogPtr catalog) { seen = std::move(catalog); });
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  ASSERT_TRUE(RunUntil(loop_, [&seen] { return seen && seen->version() == 1; }));
  Change(1, EndpointChange::kPause, "by hand");
  ASSERT_TRUE(RunUntil(loop_, [&seen] { return seen->runtime().count(1) == 1; }));
  EXPECT_EQ(seen->version(), 1u);
}

// A receiver that has moved fills Redis; its new address is what empties it again.
TEST_F(CatalogStoreLiveTest, AFullRedisTakesAnotherCatalog) {
  ASSERT_TRUE(Apply(StoredCatalog({"a"})).ok());
  Ask(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory").Arg("1mb"));
  EXPECT_TRUE(Ask(RedisCommand("SET").Arg("more").Arg("x")).is_error("OOM"));
  const auto applied = Apply(StoredCatalog({"a", "b"}));
  EXPECT_TRUE(applied.ok()) << applied.status().text();
  EXPECT_EQ(Load()->version(), 2u);
}

TEST_F(CatalogStoreLiveTest, ScriptsRefuseArgumentsThatAreNoNumbers) {
  for (const RedisScript* script : AllScripts()) {
    if (!script->name.starts_with("catalog_") && script->name != "endpoint_state") continue;
    std::optional<Result<RedisValue>> out;
    const std::vector<std::string> keys = {"a", "b", "c"};
    const std::vector<std::string> args = {"x", "y", "z"};
    redis_->Eval(*script, keys, args, scope_, [&out](auto reply) { out = std::move(reply); });
    ASSERT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    EXPECT_TRUE((*out)->is_error("BADARG")) << script->name;
  }
}

}  // namespace
}  // namespace relay

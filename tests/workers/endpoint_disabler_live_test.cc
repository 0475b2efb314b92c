// What two workers that see the same endpoint fail leave in a real Redis.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/redis_connection.h"
#include "relay/redis_scripts.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"
#include "workers/endpoint_disabler.h"

namespace relay {
namespace {

using testing::SizeIs;

class EndpointDisablerLiveTest : public testing::Test {
 protected:
  EndpointDisablerLiveTest() {
    const Status started = process_.Start();
    EXPECT_TRUE(started.ok()) << started.ToString();
    RedisConnectionOptions options;
    options.name = "test";
    options.address = process_.address();
    options.scripts = AllScripts();
    redis_ = std::move(RedisConnection::Create(loop_, options, random_, *log_, metrics_)).value();
    EXPECT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
    one_.emplace(loop_, *redis_, box_, *log_);
    other_.emplace(loop_, *redis_, box_, *log_);
    Apply();
    Load(*one_);
    Load(*other_);
  }

  void Apply() {
    Catalog catalog;
    Tenant& tenant = catalog.tenants.emplace_back();
    tenant.id = "acme";
    tenant.operator_endpoint = "ops";
    for (const char* id : {"a", "ops"}) {
      Endpoint& endpoint = tenant.endpoints.emplace_back();
      endpoint.id = id;
      endpoint.url = "https://customer.example/";
      endpoint.retry_schedule = DefaultRetrySchedule();
    }
    std::optional<bool> applied;
    one_->Apply(catalog, {}, [&applied](const auto& result) { applied = result.ok(); });
    EXPECT_TRUE(RunUntil(loop_, [&applied] { return applied.has_value(); }));
    EXPECT_TRUE(applied.value_or(false));
  }
  void Load(CatalogStore& store) {
    std::optional<bool> loaded;
    store.Load([&loaded](const auto& result) { loaded = result.ok(); });
    EXPECT_TRUE(RunUntil(loop_, [&loaded] { return loaded.has_value(); }));
    EXPECT_TRUE(loaded.value_or(false));
  }
  RedisValue Ask(const RedisCommand& command) {
    std::optional<Result<RedisValue>> out;
    redis_->Send(command, scope_, [&out](Result<RedisValue> reply) { out = std::move(reply); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out && out->ok() ? **out : RedisValue();
  }
  std::string State() { return Ask(RedisCommand("HGET").Arg(kEndpointStateKey).Arg("1")).text; }
  // A reply comes after what was sent before it; a few of them cover notice and state.
  bool BecomesDisabled() {
    for (int asked = 0; asked < 100; ++asked) {
      if (!State().empty()) return true;
    }
    return false;
  }
  std::vector<Event> Notices() {
    std::vector<Event> notices;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const std::string stream = PartitionKeys::For(partition, kPartitions).normal;
      for (const RedisValue& entry :
           Ask(RedisCommand("XRANGE").Arg(stream).Arg("-").Arg("+")).items) {
        Result<Event> event = DecodeEventFields(entry.items[1]);
        EXPECT_TRUE(event.ok()) << event.status().text();
        if (event.ok()) notices.push_back(*std::move(event));
      }
    }
    return notices;
  }

  static constexpr int kPartitions = 4;
  RedisProcess process_;
  SystemLoop loop_;
  Random random_{3};
  SecretBox box_ = SecretBox::FromKey({});
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  std::unique_ptr<RedisConnection> redis_;
  std::optional<CatalogStore> one_;
  std::optional<CatalogStore> other_;
  const DisableCause cause_{"nothing but failures for 5d", 1'767'225'600'000};
  CallScope scope_;
};

TEST_F(EndpointDisablerLiveTest, TwoWorkersMakeOneEventOfOneCause) {
  EndpointDisabler first(loop_, *redis_, *one_, *log_, kPartitions);
  EndpointDisabler second(loop_, *redis_, *other_, *log_, kPartitions);
  first.Disable(1, cause_);
  second.Disable(1, cause_);
  ASSERT_TRUE(BecomesDisabled());
  const std::vector<Event> notices = Notices();
  ASSERT_THAT(notices, SizeIs(2));
  EXPECT_EQ(notices[0].id, notices[1].id);  // A repeat, which is not delivered.
  Load(*one_);
  const EndpointRuntimeState* state = one_->snapshot()->FindRuntimeState(1);
  ASSERT_NE(state, nullptr);
  EXPECT_TRUE(state->disabled);
  EXPECT_EQ(state->reason, cause_.reason);
}

TEST_F(EndpointDisablerLiveTest, AWorkerThatDiesBetweenTheStepsLeavesTheNextToDoBoth) {
  {
    EndpointDisabler dying(loop_, *redis_, *one_, *log_, kPartitions);
    dying.Disable(1, cause_);
  }
  ASSERT_THAT(Notices(), SizeIs(1));
  EXPECT_EQ(State(), "");
  EndpointDisabler next(loop_, *redis_, *other_, *log_, kPartitions);
  next.Disable(1, cause_);
  ASSERT_TRUE(BecomesDisabled());
  ASSERT_THAT(Notices(), SizeIs(2));
  EXPECT_EQ(Notices()[0].id, Notices()[1].id);
}

}  // namespace
}  // namespace relay

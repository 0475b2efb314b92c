// A worker's beginnings on a real Redis that is full: what frees memory must be able to start.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/redis_connection.h"
#include "relay/redis_scripts.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"
#include "workers/partition_owner.h"

namespace relay {
namespace {

using ::testing::UnorderedElementsAre;

constexpr int kFullPartitions = 2;

class FullRedisTest : public ::testing::Test {
 protected:
  FullRedisTest() {
    const Status started = process_.Start();
    EXPECT_TRUE(started.ok()) << started.ToString();
    RedisConnectionOptions options;
    options.name = "test";
    options.address = process_.address();
    options.scripts = AllScripts();
    redis_ = std::move(RedisConnection::Create(loop_, options, random_, *log_, metrics_)).value();
    EXPECT_TRUE(RunUntil(loop_, [this] { return redis_->up(); }));
    owner_.emplace(loop_, *redis_, random_, *log_, "boot1", "host/0", kFullPartitions,
                   PartitionOwner::Events{
                       .on_gained = [this](const TenurePtr& t) { gained_.push_back(t->partition); },
                       .on_returning = [](const TenurePtr&) {},
                       .on_ended = [](const TenurePtr&) {}});
  }

  RedisValue Ask(const RedisCommand& command) {
    std::optional<Result<RedisValue>> out;
    redis_->Send(command, scope_, [&out](Result<RedisValue> reply) { out = std::move(reply); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out && out->ok() ? **out : RedisValue();
  }
  RedisValue Run(const ScriptCall& call) {
    std::optional<Result<RedisValue>> out;
    redis_->Eval(*call.script, call.keys, call.args, scope_,
                 [&out](Result<RedisValue> reply) { out = std::move(reply); });
    EXPECT_TRUE(RunUntil(loop_, [&out] { return out.has_value(); }));
    return out && out->ok() ? **out : RedisValue();
  }
  // From here on Redis refuses whatever could make it larger.
  void FillUp() {
    Ask(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory").Arg("1mb"));
    EXPECT_TRUE(Ask(RedisCommand("SET").Arg("more").Arg("x")).is_error("OOM"));
  }
  bool TakesAll() {
    owner_->Start();
    return RunUntil(
        loop_, [this] { return gained_.size() == kFullPartitions; }, Seconds(5));
  }

  SystemLoop loop_;
  Random random_{7};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  RedisProcess process_;
  std::unique_ptr<RedisConnection> redis_;
  std::vector<int> gained_;
  CallScope scope_;
  std::optional<PartitionOwner> owner_;
};

TEST_F(FullRedisTest, PartitionsOfADeadWorkerAreTakenOver) {
  for (const PartitionKeys& keys : AllPartitionKeys(kFullPartitions)) Run(CreateGroups(keys));
  FillUp();
  EXPECT_TRUE(TakesAll());
  EXPECT_THAT(gained_, UnorderedElementsAre(0, 1));
}

// Brokers may have filled it before the first worker ever came.
TEST_F(FullRedisTest, PartitionsThatNobodyEverOwnedAreTaken) {
  FillUp();
  EXPECT_TRUE(TakesAll());
  EXPECT_THAT(gained_, UnorderedElementsAre(0, 1));
}

}  // namespace
}  // namespace relay

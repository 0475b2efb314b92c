#include "cli/up_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "cli/loopback_http.h"
#include "cli/settings_text.h"
#include "tests/support/run_until.h"
#include "tests/support/scripted_redis.h"

namespace relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

UpPlan PlanOf(const UpOptions& options) {
  Result<UpPlan> plan = MakeUpPlan(options, Settings(), "/data");
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return *std::move(plan);
}

std::vector<std::string> Texts(const std::vector<SocketAddress>& addresses) {
  std::vector<std::string> out;
  for (const SocketAddress& address : addresses) out.push_back(address.ToString());
  return out;
}

TEST(UpPlanTest, TheDefaultPortsAreThoseOfTheManual) {
  const UpPlan plan = PlanOf({.demo = true, .folder = ""});
  EXPECT_THAT(Texts(plan.listen), ElementsAre("127.0.0.1:8080"));
  EXPECT_THAT(Texts(plan.admin), ElementsAre("127.0.0.1:9091", "127.0.0.1:9092"));
  EXPECT_THAT(Texts(plan.sinks), ElementsAre("127.0.0.1:9101", "127.0.0.1:9102", "127.0.0.1:9103"));
}

TEST(UpPlanTest, ABasePortMovesAllPorts) {
  UpOptions options;
  options.demo = true;
  options.base_port = 20000;
  const UpPlan plan = PlanOf(options);
  EXPECT_THAT(Texts(plan.Addresses()),
              ElementsAre("127.0.0.1:20000", "127.0.0.1:20001", "127.0.0.1:20002",
                          "127.0.0.1:20011", "127.0.0.1:20012", "127.0.0.1:20013"));
}

TEST(UpPlanTest, NoTwoOfManyProcessesWantOnePort) {
  UpOptions options;
  options.demo = true;
  options.brokers = 4;
  options.workers = 5;
  const std::vector<std::string> all = Texts(PlanOf(options).Addresses());
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST(UpPlanTest, WithoutWorkersAndSinksThereIsTheBrokerAlone) {
  UpOptions options;
  options.demo = true;
  options.workers = 0;
  options.sinks = 0;
  const UpPlan plan = PlanOf(options);
  EXPECT_THAT(plan.sinks, IsEmpty());
  EXPECT_EQ(plan.admin.size(), 1u);
  EXPECT_THAT(plan.settings.guard.allow_private, IsEmpty());
}

TEST(UpPlanTest, LoopbackIsOpenedForTheSinksAndNothingElseIs) {
  const UpPlan plan = PlanOf({.demo = true, .folder = ""});
  EXPECT_THAT(plan.settings.guard.allow_private, ElementsAre("127.0.0.0/8"));
}

TEST(UpPlanTest, AFolderTooDeepForASocketIsRefusedWithTheReason) {
  const auto plan = MakeUpPlan({}, Settings(), "/" + std::string(100, 'd'));
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.status().text(), HasSubstr("107 are the limit"));
}

TEST(UpPlanTest, OnlyTheThirdSinkOfTheDemoFailsAtFirst) {
  const UpPlan plan = PlanOf({.demo = true, .folder = ""});
  const std::vector<std::string> secrets = {"--secret", "whsec_x"};
  EXPECT_THAT(SinkChild(plan, 2, secrets).argv, Contains("--fail-first"));
  EXPECT_THAT(SinkChild(plan, 1, secrets).argv, Not(Contains("--fail-first")));
  EXPECT_THAT(SinkChild(plan, 2, {}).argv, Not(Contains("--fail-first")));
}

TEST(UpPlanTest, BrokersAreStoppedBeforeWorkersAndRedisLast) {
  const UpPlan plan = PlanOf({.demo = true, .folder = ""});
  const int broker = BrokerChild(plan, 0).stop_order;
  const int worker = WorkerChild(plan, 0).stop_order;
  const int sink = SinkChild(plan, 0, {}).stop_order;
  EXPECT_LT(broker, worker);
  EXPECT_LT(worker, sink);
  EXPECT_LT(sink, RedisChild(plan).stop_order);
  EXPECT_GT(WorkerChild(plan, 0).stop_patience, plan.settings.worker.drain);
}

TEST(UpPlanTest, TheWrittenConfSaysWhatThePlanSays) {
  Settings settings = PlanOf({.demo = true, .folder = ""}).settings;
  settings.redis.durability = Durability::kEverysec;
  settings.broker.shed_at = 0.5;
  settings.attempt_log.bytes_max = 1 << 20;
  settings.guard.ports = {80, 8443};
  settings.log.level = LogLevel::kDebug;
  settings.log.format = LogFormat::kText;
  const std::string text = SettingsToToml(settings);
  const Result<Settings> read = ParseSettings(text, "test", {});
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(SettingsToToml(*read), text);
  EXPECT_EQ(read->redis.durability, Durability::kEverysec);
  EXPECT_EQ(read->attempt_log, settings.attempt_log);
  EXPECT_EQ(read->guard.ports, settings.guard.ports);
}

TEST(UpPlanTest, APortInUseIsNamed) {
  SystemLoop loop;
  const ScriptedRedis other(loop, [](const auto&) { return ""; });
  const Status taken = CheckPortIsFree(other.address());
  EXPECT_THAT(taken.text(), HasSubstr("port " + std::to_string(other.address().port)));
  EXPECT_FALSE(AskLoopback(other.address(), "GET", "/", "", Millis(20)).ok());
}

}  // namespace
}  // namespace relay

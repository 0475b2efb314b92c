// fsck, dlq, endpoint, unrouted, refused and status against a real Redis.

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "cli/command_line.h"
#include "cli/dlq_command.h"
#include "cli/endpoint_command.h"
#include "cli/fsck_command.h"
#include "cli/redis_session.h"
#include "cli/refused_command.h"
#include "cli/status_command.h"
#include "cli/unrouted_command.h"
#include "relay/attempt_record.h"
#include "relay/refusal_record.h"
#include "relay/unrouted_event.h"
#include "tests/support/partition_fixture.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::Not;

class OperatorCommandsTest : public PartitionTest {
 protected:
  struct Outcome {
    int code = 0;
    std::string out;
  };

  void SetUp() override {
    PartitionTest::SetUp();
    const std::string key_file = process_.folder() + "/secret.key";
    ASSERT_TRUE(SecretBox::GenerateKeyFile(key_file).ok());
    conf_ = process_.folder() + "/relay.toml";
    std::ofstream(conf_) << "[redis]\nnodes = [\"unix://" << process_.socket_path()
                         << "\"]\n[secrets]\nkey_file = \"" << key_file << "\"\n";
    ApplyDemoCatalog();
  }
  void ApplyDemoCatalog() {
    std::stringstream text;
    text << std::ifstream(std::string(RELAY_SOURCE_DIR) + "/conf/catalog.demo.toml").rdbuf();
    Result<Catalog> catalog = ParseCatalogToml(text.str(), "catalog.demo.toml");
    ASSERT_TRUE(catalog.ok()) << catalog.status().text();
    CommandContext context;
    context.config_path = conf_;
    auto session = RedisSession::Open(context);
    ASSERT_TRUE(session.ok()) << session.status().text();
    auto store = (*session)->OpenCatalogStore();
    ASSERT_TRUE(store.ok()) << store.status().text();
    bool applied = false;
    (*store)->Apply(std::move(*catalog), std::nullopt, [&](const auto& result) {
      EXPECT_TRUE(result.ok());
      applied = true;
      (*session)->loop().Stop();
    });
    (*session)->RunUntil([&applied] { return applied; });
    const auto loaded = (*session)->LoadCatalog();
    ASSERT_TRUE(loaded.ok());
    endpoint_ = (*loaded)->tenants.at(0).endpoints.at(0).number;
  }
  Outcome Relayctl(std::vector<std::string> arguments) {
    static constexpr AddCommand kCommands[] = {&AddFsckCommand,     &AddDlqCommand,
                                               &AddEndpointCommand, &AddUnroutedCommand,
                                               &AddRefusedCommand,  &AddStatusCommand};
    arguments.insert(arguments.begin(), {"--config", conf_});
    testing::internal::CaptureStdout();
    const int code = RunCommandLine(kCommands, std::move(arguments), {});
    std::fflush(stdout);
    return {code, testing::internal::GetCapturedStdout()};
  }
  // A dead letter of customer-a; its event id.
  std::string Dead(AttemptOutcome outcome) {
    const Event event = MakeEvent();
    const Member member = Store(event);
    Read();
    const OwedDelivery dead{endpoint_, OwedDelivery::State::kDead, Millis(0), 1,
                            EncodeAttempt(outcome, 500, Millis(7))};
    EXPECT_TRUE(SettleOne(Last(member, {dead})));
    return event.id;
  }

  std::string conf_;
  uint64_t endpoint_ = 0;
};

TEST_F(OperatorCommandsTest, FsckFindsABreachAndRepairsIt) {
  Dead(AttemptOutcome::kRejected);
  EXPECT_EQ(Relayctl({"fsck"}).code, kExitOk);
  Ask(RedisCommand("HSET").Arg(keys_.counters).Arg("dead").Arg("9"));
  const Outcome broken = Relayctl({"fsck"});
  EXPECT_EQ(broken.code, kExitCheckFailed);
  EXPECT_THAT(broken.out, HasSubstr("counter dead is 9"));
  EXPECT_EQ(Relayctl({"fsck", "--repair"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"fsck", "--json"}).out, HasSubstr("\"breaches\":0"));
}

TEST_F(OperatorCommandsTest, DeadLettersAreListedByFilter) {
  const std::string exhausted = Dead(AttemptOutcome::kRejected);
  const std::string expired = Dead(AttemptOutcome::kExpired);
  const std::string all = Relayctl({"dlq", "list", "--json"}).out;
  EXPECT_THAT(all, HasSubstr(exhausted));
  EXPECT_THAT(all, HasSubstr(expired));
  EXPECT_THAT(all, HasSubstr("\"endpoint\":\"acme/customer-a\""));

  const std::string some = Relayctl({"dlq", "list", "--json", "--reason", "expired"}).out;
  EXPECT_THAT(some, HasSubstr(expired));
  EXPECT_THAT(some, Not(HasSubstr(exhausted)));
  EXPECT_EQ(Relayctl({"dlq", "list", "--json", "--endpoint", "customer-b"}).out, "");
  EXPECT_EQ(Relayctl({"dlq", "list", "--json", "--until", "1h"}).out, "");
  EXPECT_THAT(Relayctl({"dlq", "show", expired}).out, HasSubstr("{\"event_type\":100}"));
  EXPECT_EQ(Relayctl({"dlq", "show", "nobody"}).code, kExitCheckFailed);
}

TEST_F(OperatorCommandsTest, RedriveAndPurgeTouchOnlyWhatTheFilterNames) {
  Dead(AttemptOutcome::kRejected);
  Dead(AttemptOutcome::kExpired);
  EXPECT_THAT(Relayctl({"dlq", "redrive", "--reason", "expired"}).out, HasSubstr("1 dead letters"));
  EXPECT_EQ(Length("ZCARD", keys_.Retries(endpoint_)), 1);
  EXPECT_EQ(Length("ZCARD", keys_.DeadLetters(endpoint_)), 1);
  EXPECT_THAT(Relayctl({"dlq", "purge", "--yes"}).out, HasSubstr("1 dead letters"));
  EXPECT_EQ(Length("ZCARD", keys_.Retries(endpoint_)), 1);
  EXPECT_EQ(Entries(), 1);
  ExpectCleanBooks();
}

TEST_F(OperatorCommandsTest, EndpointIsPausedAndResumed) {
  EXPECT_EQ(Relayctl({"endpoint", "pause", "acme/customer-a"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"endpoint", "list"}).out, HasSubstr("paused"));
  EXPECT_EQ(Relayctl({"endpoint", "resume", "acme/customer-a"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"endpoint", "list", "--json"}).out, Not(HasSubstr("paused")));
  EXPECT_EQ(Relayctl({"endpoint", "pause", "acme/nobody"}).code, kExitUsage);
}

TEST_F(OperatorCommandsTest, UnroutedEventIsStoredWhereTheCatalogPutsItNow) {
  Event event = MakeEvent();
  event.tenant.clear();
  Ask(KeepUnrouted(event, {}));
  EXPECT_THAT(Relayctl({"unrouted", "list"}).out, HasSubstr(event.id));
  EXPECT_THAT(Relayctl({"unrouted", "redrive"}).out, HasSubstr("1 events routed"));
  EXPECT_EQ(Length("XLEN", std::string(kUnroutedKey)), 0);
  const int partition = PartitionOf("acme", "", event.id, 16);
  EXPECT_EQ(Length("XLEN", PartitionKeys::For(partition, 16).normal), 1);
}

TEST_F(OperatorCommandsTest, RefusalsAndStatusAreShown) {
  Ask(KeepRefusal({"demo", "forged", "the sign does not fit", "127.0.0.1", 403, 1700000000123}));
  EXPECT_THAT(Relayctl({"refused"}).out, HasSubstr("2023-11-14T22:13:20.123Z  demo"));
  EXPECT_THAT(Relayctl({"refused", "--json"}).out, HasSubstr("\"reason\":\"forged\""));
  const std::string status = Relayctl({"status"}).out;
  EXPECT_THAT(status, HasSubstr("catalog version 1"));
  EXPECT_THAT(status, HasSubstr("boot-1"));
}

TEST_F(OperatorCommandsTest, RedisThatIsAwayHasItsOwnExitCode) {
  process_.Stop();
  EXPECT_EQ(Relayctl({"status"}).code, kExitRedis);
}

}  // namespace
}  // namespace relay

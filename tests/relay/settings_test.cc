#include "relay/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string SettingsComplaint(const std::string& text,
                              const std::vector<std::string>& environment = {}) {
  const Result<Settings> settings = ParseSettings(text, "relay.toml", environment);
  return settings.ok() ? "no complaint" : settings.status().text();
}

std::string ShippedConf() {
  std::ifstream file(RELAY_SOURCE_DIR "/conf/relay.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Settings, AnEmptyFileGivesTheDefaults) {
  const Result<Settings> settings = ParseSettings("", "relay.toml", {});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(*settings, Settings());
}

// The shipped file is the documentation of the defaults, so the two must not drift apart.
TEST(Settings, TheShippedFileSpellsOutTheDefaults) {
  const Result<Settings> settings =
      LoadSettings(RELAY_SOURCE_DIR "/conf/relay.toml", std::vector<std::string>());
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_EQ(*settings, Settings());
}

TEST(Settings, TheShippedFileNamesEveryKey) {
  const std::string shipped = ShippedConf();
  for (const char* section :
       {"redis", "broker", "worker", "delivery", "attempt_log", "dlq", "guard", "secrets", "log"}) {
    const std::string complaint =
        SettingsComplaint("[" + std::string(section) + "]\nno_such_key = 1\n");
    const size_t list = complaint.find("known here: ");
    ASSERT_NE(list, std::string::npos) << complaint;
    std::istringstream known(complaint.substr(list + 12));
    for (std::string key; std::getline(known >> std::ws, key, ',');) {
      EXPECT_TRUE(std::regex_search(shipped, std::regex("\n" + key + " = "))) << key;
    }
  }
}

TEST(Settings, ValuesOfTheFileAreTaken) {
  const Result<Settings> settings = ParseSettings(R"(
    [redis]
    nodes = ["redis://127.0.0.1:6379"]
    durability = "everysec"
    command_deadline = "1500ms"
    [broker]
    listen = ["127.0.0.1:80", "[::1]:80"]
    body_max = "2MiB"
    shed_at = 0.5
    [guard]
    allow_private = ["127.0.0.0/8", "fd00::/8", "10.0.0.7/32"]
    ports = []
    https_only = true
    [log]
    level = "debug"
    format = "text"
  )",
                                                  "relay.toml", {});
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_THAT(settings->redis.nodes, ElementsAre("redis://127.0.0.1:6379"));
  EXPECT_EQ(settings->redis.durability, Durability::kEverysec);
  EXPECT_EQ(settings->redis.command_deadline, Millis(1500));
  EXPECT_THAT(settings->broker.listen, ElementsAre("127.0.0.1:80", "[::1]:80"));
  EXPECT_EQ(settings->broker.body_max, 2 * 1024 * 1024);
  EXPECT_EQ(settings->broker.shed_at, 0.5);
  EXPECT_EQ(settings->guard.allow_private.size(), 3u);
  EXPECT_TRUE(settings->guard.ports.empty());
  EXPECT_TRUE(settings->guard.https_only);
  EXPECT_EQ(settings->log.level, LogLevel::kDebug);
  EXPECT_EQ(settings->log.format, LogFormat::kText);
}

TEST(Settings, BoundsOfTheAttemptLogAreReadAndLimited) {
  const Result<Settings> settings =
      ParseSettings("[attempt_log]\nenabled = false\nage_max = \"24h\"\nbytes_max = \"1MiB\"\n",
                    "relay.toml", {});
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_FALSE(settings->attempt_log.enabled);
  EXPECT_EQ(settings->attempt_log.age_max, std::chrono::hours(24));
  EXPECT_EQ(settings->attempt_log.bytes_max, 1024 * 1024);
  EXPECT_THAT(SettingsComplaint("[attempt_log]\nbytes_max = \"1KiB\"\n"),
              HasSubstr("expected a size from 64KiB to 1GiB"));
  EXPECT_THAT(SettingsComplaint("[attempt_log]\nage_max = \"1s\"\n"),
              HasSubstr("attempt_log.age_max"));
}

TEST(Settings, LimitsOfDeadLettersAreReadAndZeroIsNone) {
  const Result<Settings> settings = ParseSettings(
      "[dlq]\nage_max = \"7d\"\nbytes_max = \"64MiB\"\narchive_dir = \"/var/archive\"\n",
      "relay.toml", {});
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_EQ(settings->dlq.age_max, std::chrono::hours(7 * 24));
  EXPECT_EQ(settings->dlq.bytes_max, 64 * 1024 * 1024);
  EXPECT_EQ(settings->dlq.archive_dir, "/var/archive");
  for (const char* zeros :
       {"[dlq]\nage_max = 0\nbytes_max = 0\n", "[dlq]\nage_max = \"0\"\nbytes_max = \"0\"\n"}) {
    const Result<Settings> unlimited = ParseSettings(zeros, "relay.toml", {});
    ASSERT_TRUE(unlimited.ok()) << unlimited.status().text();
    EXPECT_EQ(unlimited->dlq.age_max, Millis(0));
    EXPECT_EQ(unlimited->dlq.bytes_max, 0);
  }
}

// Where it would lie depends on where a worker was started.
TEST(Settings, AnArchiveNeedsAnAbsolutePath) {
  EXPECT_THAT(SettingsComplaint("[dlq]\narchive_dir = \"archive\"\n"),
              StartsWith("relay.toml:2: dlq.archive_dir: expected an absolute path"));
  EXPECT_EQ(SettingsComplaint("[dlq]\narchive_dir = \"none\"\n"), "no complaint");
}

// Its name has an underscore, as the border to the key has.
TEST(Settings, AVariableReachesASectionOfTwoWords) {
  const Result<Settings> settings = ParseSettings(
      "", "relay.toml", {"RELAY_ATTEMPT_LOG_BYTES_MAX=2MiB", "RELAY_ATTEMPT_LOG_ENABLED=false"});
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_EQ(settings->attempt_log.bytes_max, 2 * 1024 * 1024);
  EXPECT_FALSE(settings->attempt_log.enabled);
}

TEST(Settings, AnUnknownKeyIsNamedWithFileAndLine) {
  EXPECT_THAT(SettingsComplaint("[broker]\nbody_max = 4096\nbody_maxx = 4096\n"),
              StartsWith("relay.toml:3: broker.body_maxx: unknown key; known here: listen, "));
  EXPECT_THAT(SettingsComplaint("[borker]\n"), StartsWith("relay.toml:1: borker: unknown key"));
}

// Accepting them without doing anything would leave an operator with an open port he believes shut.
TEST(Settings, KeysOfLaterVersionsAreUnknown) {
  EXPECT_THAT(SettingsComplaint("[broker]\ntls_listen = [\"0.0.0.0:8443\"]\n"),
              HasSubstr("unknown key"));
  EXPECT_THAT(SettingsComplaint("[console]\nlisten = \"[::]:80\"\n"),
              HasSubstr("console: unknown key"));
}

TEST(Settings, AWrongTypeSaysWhatWasExpectedAndFound) {
  EXPECT_EQ(SettingsComplaint("[redis]\npartitions = \"many\"\n"),
            "relay.toml:2: redis.partitions: expected an integer from 1 to 1024, found \"many\"");
  EXPECT_EQ(SettingsComplaint("[guard]\nhttps_only = 1\n"),
            "relay.toml:2: guard.https_only: expected true or false, found 1");
  EXPECT_EQ(SettingsComplaint("redis = 5\n"),
            "relay.toml:1: redis: expected a table, found an integer");
}

TEST(Settings, AValueOutOfRangeIsRefused) {
  EXPECT_THAT(SettingsComplaint("[redis]\npartitions = 0\n"), HasSubstr("found 0"));
  EXPECT_THAT(SettingsComplaint("[redis]\npartitions = 1025\n"), HasSubstr("found 1025"));
  EXPECT_THAT(SettingsComplaint("[broker]\nbody_max = \"1GiB\"\n"),
              HasSubstr("expected a size from 1KiB to 64MiB"));
  EXPECT_THAT(SettingsComplaint("[broker]\nshed_at = nan\n"), HasSubstr("expected a number from"));
  EXPECT_THAT(SettingsComplaint("[guard]\nports = [80, 65536]\n"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(SettingsComplaint("[guard]\nallow_private = [\"10.0.0.0/33\"]\n"),
              StartsWith("relay.toml:2: guard.allow_private: "));
  EXPECT_THAT(SettingsComplaint("[broker]\nidle = \"60\"\n"), HasSubstr("such as \"15s\""));
}

TEST(Settings, EveryComplaintIsToldInTheOrderOfTheFile) {
  const std::string complaint =
      SettingsComplaint("[redis]\npartitions = 0\nx = 1\n[log]\nlevel = \"loud\"\n");
  EXPECT_THAT(complaint, StartsWith("relay.toml:2: redis.partitions"));
  EXPECT_THAT(complaint, HasSubstr("\nrelay.toml:3: redis.x"));
  EXPECT_THAT(complaint, HasSubstr("\nrelay.toml:5: log.level: expected \"debug\" or \"info\""));
}

TEST(Settings, TwoRedisNodesAreOneTooMany) {
  EXPECT_EQ(SettingsComplaint("[redis]\nnodes = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n"),
            "relay.toml:2: redis.nodes: this version supports one node, found 2");
}

TEST(Settings, AnAddressIsCheckedWhereItStands) {
  EXPECT_THAT(SettingsComplaint("[broker]\nlisten = [\"localhost\"]\n"),
              StartsWith("relay.toml:2: broker.listen: "));
  EXPECT_THAT(SettingsComplaint("[redis]\nnodes = [\"unix:///" + std::string(107, 'x') + "\"]\n"),
              HasSubstr("107 are the limit"));
  for (const char* node : {"127.0.0.1:6379", "redis://:6379", "redis://host", "redis://host:0x1"}) {
    EXPECT_THAT(SettingsComplaint("[redis]\nnodes = [\"" + std::string(node) + "\"]\n"),
                HasSubstr("expected unix://PATH, redis://HOST:PORT or rediss://HOST:PORT"));
  }
  EXPECT_THAT(SettingsComplaint("[redis]\nnodes = [\"rediss://host:6379\"]\n"),
              HasSubstr("tls_ca"));
}

TEST(Settings, LimitsThatContradictEachOtherAreRefused) {
  EXPECT_THAT(SettingsComplaint("[broker]\nshed_at = 0.9\n"), HasSubstr("above refuse_at"));
  EXPECT_THAT(SettingsComplaint("[delivery]\nconnect_timeout = \"16s\"\n"),
              HasSubstr("longer than timeout"));
  EXPECT_THAT(SettingsComplaint("[worker]\ndrain = \"10s\"\n"), HasSubstr("would be sent twice"));
}

TEST(Settings, BrokenTomlIsASyntaxErrorWithItsLine) {
  EXPECT_THAT(SettingsComplaint("[redis]\npartitions = = 3\n"), StartsWith("relay.toml:2: "));
}

TEST(Settings, VariablesGoBeforeTheFile) {
  const Result<Settings> settings =
      ParseSettings("[broker]\nbody_max = 4096\n", "relay.toml",
                    {"RELAY_BROKER_BODY_MAX=8KiB", "RELAY_GUARD_PORTS=443,8443",
                     "RELAY_GUARD_HTTPS_ONLY=true", "RELAY_REDIS_NODES=redis://redis.internal:7000",
                     "RELAY_BROKER_SHED_AT=0.25", "RELAY_DELIVERY_TIMEOUT=9s", "PATH=/bin"});
  ASSERT_TRUE(settings.ok()) << settings.status().text();
  EXPECT_EQ(settings->broker.body_max, 8192);
  EXPECT_THAT(settings->guard.ports, ElementsAre(443, 8443));
  EXPECT_TRUE(settings->guard.https_only);
  EXPECT_THAT(settings->redis.nodes, ElementsAre("redis://redis.internal:7000"));
  EXPECT_EQ(settings->broker.shed_at, 0.25);
  EXPECT_EQ(settings->delivery.timeout, Millis(9000));
}

TEST(Settings, AWrongVariableIsNamed) {
  EXPECT_EQ(
      SettingsComplaint("[redis]\npartitions = 4\n", {"RELAY_REDIS_PARTITIONS=four"}),
      "environment: RELAY_REDIS_PARTITIONS: expected an integer from 1 to 1024, found \"four\"");
  EXPECT_THAT(SettingsComplaint("", {"RELAY_BROKER_BODYMAX=1"}),
              StartsWith("environment: RELAY_BROKER_BODYMAX: unknown key"));
}

TEST(Settings, VariablesOfOthersAreLeftAlone) {
  EXPECT_EQ(SettingsComplaint("", {"RELAY_CONFIG=/x", "RELAY_HOME_DIR=/y", "RELAY_REDIS", "X=1"}),
            "no complaint");
}

TEST(Settings, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadSettings("/nonexistent/relay.toml", {}).status().code(), StatusCode::kNotFound);
  const Result<std::string> found = FindSettingsFile("/nonexistent/relay.toml");
  EXPECT_EQ(found.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(found.status().text(), HasSubstr("/nonexistent/relay.toml"));
}

}  // namespace
}  // namespace relay

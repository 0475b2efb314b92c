// relayctl check, apply and catalog generate, as a person types them, against a private Redis.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/apply_command.h"
#include "cli/catalog_command.h"
#include "cli/check_command.h"
#include "cli/command_line.h"
#include "relay/catalog.h"
#include "relay/secret_box.h"
#include "tests/cli/temporary_folder.h"
#include "tests/support/redis_process.h"

namespace relay {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kDemo[] = RELAY_SOURCE_DIR "/conf/catalog.demo.toml";

TEST(CatalogGenerateTest, WhatIsGeneratedIsAValidCatalogOfThatSize) {
  const GeneratedCatalog wanted{
      .tenants = 3, .endpoints = 60, .url = "http://127.0.0.1:9101/{tenant}/{endpoint}"};
  const std::string text = GenerateCatalog(wanted);
  const Result<Catalog> catalog = ParseCatalogToml(text, "generated.toml");
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  ASSERT_EQ(catalog->tenants.size(), 3u);
  EXPECT_EQ(catalog->tenants[2].endpoints.size(), 60u);
  EXPECT_EQ(catalog->tenants[2].endpoints[7].url, "http://127.0.0.1:9101/2/7");
  EXPECT_EQ(text, GenerateCatalog(wanted));
}

class ApplyTest : public testing::Test {
 protected:
  ApplyTest() {
    WriteConf(redis_);
    EXPECT_TRUE(SecretBox::GenerateKeyFile(folder_.File("key")).ok());
  }
  void WriteConf(const RedisProcess& redis) {
    std::ofstream(folder_.File("relay.toml"))
        << "[redis]\nnodes = [\"unix://" << redis.socket_path()
        << "\"]\ndurability = \"everysec\"\n[secrets]\nkey_file = \"" << folder_.File("key")
        << "\"\n";
  }
  void StartRedis() {
    const Status started = redis_.Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
  }
  int Relayctl(std::vector<std::string> arguments) {
    static constexpr AddCommand kCommands[] = {&AddApplyCommand, &AddCheckCommand};
    arguments.insert(arguments.begin(), {"--config", folder_.File("relay.toml")});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCommandLine(kCommands, std::move(arguments), {});
    out_ = testing::internal::GetCapturedStdout();
    complaints_ = testing::internal::GetCapturedStderr();
    return code;
  }

  TemporaryFolder folder_;
  RedisProcess redis_;
  std::string out_;
  std::string complaints_;
};

TEST_F(ApplyTest, ApplyingTwiceIsApplyingOnce) {
  StartRedis();
  EXPECT_EQ(Relayctl({"apply", kDemo}), kExitOk) << complaints_;
  EXPECT_EQ(out_, "applied: version 1 (1 source, 1 tenant, 3 endpoints)\n");
  EXPECT_EQ(Relayctl({"apply", kDemo}), kExitOk) << complaints_;
  EXPECT_EQ(out_, "unchanged: version 1 (1 source, 1 tenant, 3 endpoints)\n");
}

TEST_F(ApplyTest, ADiffShowsWhatWouldChangeAndChangesNothing) {
  StartRedis();
  EXPECT_EQ(Relayctl({"apply", kDemo, "--diff"}), kExitOk) << complaints_;
  EXPECT_THAT(out_, HasSubstr("+ tenant/acme/customer-c\n"));
  EXPECT_EQ(Relayctl({"apply", kDemo, "--diff"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("+ tenant/acme/customer-c\n"));
  EXPECT_EQ(Relayctl({"apply", kDemo}), kExitOk);
  EXPECT_EQ(Relayctl({"apply", kDemo, "--diff"}), kExitOk);
  EXPECT_EQ(out_, "no difference to version 1\n");
}

TEST_F(ApplyTest, CheckingAFileNeedsNoRedis) {
  EXPECT_EQ(Relayctl({"apply", kDemo, "--check"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("is valid (1 source, 1 tenant, 3 endpoints)"));
  std::ofstream(folder_.File("bad.toml")) << "format = 1\ntenants = 5\n";
  EXPECT_EQ(Relayctl({"apply", folder_.File("bad.toml"), "--check"}), kExitConf);
  EXPECT_THAT(complaints_, HasSubstr("bad.toml:2: tenants: unknown key"));
  EXPECT_EQ(Relayctl({"apply", folder_.File("none.toml")}), kExitConf);
}

TEST_F(ApplyTest, CheckGoesThroughWhatMustBeRight) {
  StartRedis();
  EXPECT_EQ(Relayctl({"check"}), kExitOk) << out_;
  EXPECT_THAT(out_,
              AllOf(HasSubstr("ok    conf"), HasSubstr("ok    key file"), HasSubstr("ok    safety"),
                    HasSubstr("a second of acknowledged"), HasSubstr("Fix: relayctl apply FILE")));
  EXPECT_EQ(Relayctl({"apply", kDemo}), kExitOk);
  EXPECT_EQ(Relayctl({"check"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("ok    catalog       version 1, 1 tenants"));
}

TEST_F(ApplyTest, CheckTellsApartWhatIsWrong) {
  StartRedis();
  std::filesystem::remove(folder_.File("key"));
  EXPECT_EQ(Relayctl({"check"}), kExitConf);
  EXPECT_THAT(out_, HasSubstr("openssl rand -out"));
  EXPECT_TRUE(SecretBox::GenerateKeyFile(folder_.File("key")).ok());
  redis_.Stop();
  EXPECT_EQ(Relayctl({"check"}), kExitRedis);
  EXPECT_THAT(out_, HasSubstr("FAIL  redis"));
  std::ofstream(folder_.File("relay.toml")) << "[redis]\nnodez = []\n";
  EXPECT_EQ(Relayctl({"check"}), kExitConf);
  EXPECT_THAT(out_, HasSubstr("redis.nodez: unknown key"));
}

TEST_F(ApplyTest, AnUnsafeRedisIsNamedWithItsRemedy) {
  RedisProcess::Options options;
  options.lines = {"maxmemory-policy allkeys-lru"};
  RedisProcess unsafe(options);
  ASSERT_TRUE(unsafe.Start().ok());
  WriteConf(unsafe);
  EXPECT_EQ(Relayctl({"check"}), kExitUnsafe) << out_;
  EXPECT_THAT(out_, HasSubstr("CONFIG SET maxmemory-policy noeviction"));
}

}  // namespace
}  // namespace relay

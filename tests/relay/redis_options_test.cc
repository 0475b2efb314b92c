#include "relay/redis_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "relay/redis_error.h"

namespace relay {
namespace {

using ::testing::HasSubstr;

Settings::Redis NodeOf(const std::string& node) {
  Settings::Redis settings;
  settings.nodes = {node};
  return settings;
}

std::string ComplaintOf(const Settings::Redis& settings) {
  const auto made = MakeRedisOptions(settings, "x");
  return made.ok() ? "" : made.status().text();
}

TEST(RedisOptionsTest, AUnixSocketIsTakenAsItIs) {
  const auto made = MakeRedisOptions(NodeOf("unix:///run/relay/redis.sock"), "broker-0");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->address.unix_path, "/run/relay/redis.sock");
  EXPECT_EQ(made->name, "broker-0");
  EXPECT_TRUE(made->tls_ca_file.empty());
}

TEST(RedisOptionsTest, AUrlOfRedisIsAnAddressWithoutTls) {
  const auto made = MakeRedisOptions(NodeOf("redis://10.0.0.1:6379"), "x");
  ASSERT_TRUE(made.ok()) << made.status().text();
  EXPECT_EQ(made->address.ToString(), "10.0.0.1:6379");
  EXPECT_TRUE(made->tls_ca_file.empty());
  EXPECT_EQ(MakeRedisOptions(NodeOf("redis://[::1]:6379"), "x")->address.host, "::1");
}

TEST(RedisOptionsTest, AUrlOfRedissIsTlsAndTheCertificateMustCarryTheAddress) {
  Settings::Redis settings = NodeOf("rediss://10.0.0.1:6380");
  settings.tls_ca = "/etc/relay/ca.pem";
  const auto made = MakeRedisOptions(settings, "x");
  ASSERT_TRUE(made.ok()) << made.status().text();
  EXPECT_EQ(made->address.ToString(), "10.0.0.1:6380");
  EXPECT_EQ(made->tls_server_name, "10.0.0.1");
  EXPECT_EQ(made->tls_ca_file, "/etc/relay/ca.pem");
}

TEST(RedisOptionsTest, ThePasswordIsTheFirstLineOfItsFile) {
  const auto path =
      std::filesystem::temp_directory_path() / ("relay-pw-" + std::to_string(getpid()));
  std::ofstream(path) << "correct horse\n";
  Settings::Redis settings = NodeOf("unix:///x.sock");
  settings.password_file = path;
  const auto made = MakeRedisOptions(settings, "x");
  std::filesystem::remove(path);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->password, "correct horse");
  EXPECT_THAT(ComplaintOf(settings), HasSubstr("cannot read a password"));
}

TEST(RedisOptionsTest, WhatCannotBeUsedIsNamed) {
  Settings::Redis two = NodeOf("unix:///a.sock");
  two.nodes.push_back("unix:///b.sock");
  EXPECT_THAT(ComplaintOf(two), HasSubstr("exactly one node"));
  EXPECT_THAT(ComplaintOf(NodeOf("redis://localhost:6379")),
              HasSubstr("not an IPv4 or IPv6 address"));
  EXPECT_THAT(ComplaintOf(NodeOf("redis://127.0.0.1")), HasSubstr("lacks a port"));
  EXPECT_THAT(ComplaintOf(NodeOf("rediss://10.0.0.1:6380")), HasSubstr("redis.tls_ca"));
  // Somebody who names authorities must not go unencrypted without a word.
  for (const char* node : {"unix:///a.sock", "redis://10.0.0.1:6379"}) {
    Settings::Redis plain = NodeOf(node);
    plain.tls_ca = "/etc/relay/ca.pem";
    EXPECT_THAT(ComplaintOf(plain), HasSubstr("redis.tls_ca"));
  }
  EXPECT_THAT(ComplaintOf(NodeOf("unix://" + std::string(120, 'a'))), HasSubstr("107"));
}

TEST(RedisErrorTest, ErrorsAreSortedByTheirFirstWord) {
  EXPECT_EQ(ClassifyRedisError(RedisValue::Error("OOM command not allowed when used memory > "
                                                 "'maxmemory'.")),
            RedisErrorKind::kOutOfMemory);
  EXPECT_EQ(ClassifyRedisError(RedisValue::Error("OOMPH is another word")), RedisErrorKind::kOther);
  EXPECT_EQ(ClassifyRedisError(RedisValue::Error("STALE")), RedisErrorKind::kStale);
  EXPECT_EQ(ClassifyRedisError(RedisValue::Text("OOM")), RedisErrorKind::kNone);
}

TEST(RedisErrorTest, OnlyRefusalsThatPassAreWorthWaitingFor) {
  EXPECT_TRUE(IsRefusalForNow(RedisErrorKind::kLoading));
  EXPECT_TRUE(IsRefusalForNow(RedisErrorKind::kOutOfMemory));
  EXPECT_FALSE(IsRefusalForNow(RedisErrorKind::kStale));
  EXPECT_FALSE(IsRefusalForNow(RedisErrorKind::kOther));
  EXPECT_FALSE(IsRefusalForNow(RedisErrorKind::kNone));
}

}  // namespace
}  // namespace relay

#include "relay/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <string>

namespace relay {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Written(LogLevel level, const std::function<void(Log&)>& write) {
  ::testing::internal::CaptureStderr();
  {
    Log log("relay-test", 3, level, LogFormat::kJson);
    write(log);
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(LogTest, ALineIsOneJsonObjectWithItsFields) {
  const std::string line = Written(LogLevel::kInfo, [](Log& log) {
    log.Info("redis_down", "Redis is away", {{"node", "unix:/x"}, {"tries", 3}, {"final", false}});
  });
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(line.c_str()).HasParseError()) << line;
  EXPECT_STREQ(json["event"].GetString(), "redis_down");
  EXPECT_STREQ(json["proc"].GetString(), "relay-test");
  EXPECT_EQ(json["instance"].GetInt(), 3);
  EXPECT_STREQ(json["node"].GetString(), "unix:/x");
  EXPECT_EQ(json["tries"].GetInt(), 3);
  EXPECT_FALSE(json["final"].GetBool());
  EXPECT_THAT(line, EndsWith("\n"));
}

// What a peer sent ends up in logs: it must not be able to write a second line.
TEST(LogTest, ControlCharactersAndBrokenUtf8CannotLeaveTheirString) {
  const std::string line = Written(LogLevel::kInfo, [](Log& log) {
    log.Info("x", "a\n{\"level\":\"error\"}\x1b[0m \xff\xc0\xaf", {{"path", "q\"\\"}});
  });
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(line.c_str()).HasParseError()) << line;
  EXPECT_STREQ(json["path"].GetString(), "q\"\\");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(LogTest, ALongValueIsCutAndTheLineStaysJson) {
  const std::string line = Written(LogLevel::kInfo, [](Log& log) {
    log.Info("x", "m", {{"long", std::string(100'000, 'a')}, {"after", 1}});
  });
  rapidjson::Document json;
  ASSERT_FALSE(json.Parse(line.c_str()).HasParseError());
  EXPECT_LT(line.size(), 5000u);
}

TEST(LogTest, LinesBelowTheLevelAreNotWritten) {
  const std::string lines = Written(LogLevel::kWarning, [](Log& log) {
    log.Info("quiet", "no");
    log.Warning("loud", "yes");
  });
  EXPECT_THAT(lines, HasSubstr("loud"));
  EXPECT_THAT(lines, Not(HasSubstr("quiet")));
}

}  // namespace
}  // namespace relay

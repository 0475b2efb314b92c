#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/playurl_command.h"
#include "cli/streamcode_command.h"
#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr char kCode[] = "8888_81265058829fd2e50c8ec2ac78d55127";

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

Answer Relayctl(std::vector<std::string> arguments) {
  static constexpr AddCommand kCommands[] = {&AddStreamCodeCommand, &AddPlayUrlCommand};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Answer answer;
  answer.code = RunCommandLine(kCommands, std::move(arguments), {});
  answer.out = testing::internal::GetCapturedStdout();
  answer.err = testing::internal::GetCapturedStderr();
  return answer;
}

Answer StreamCode(std::vector<std::string> options) {
  options.insert(options.begin(), "streamcode");
  return Relayctl(std::move(options));
}

Answer PlayUrl(std::vector<std::string> options) {
  options.insert(options.begin(), "playurl");
  return Relayctl(std::move(options));
}

TEST(StreamCodeCommandTest, PrintsTheCodeAlone) {
  const std::vector<std::string> stream = {"--room", "293710", "--user", "14y2l2c"};
  std::vector<std::string> options = {"--bizid", "8888", "--type", "main"};
  options.insert(options.end(), stream.begin(), stream.end());
  Answer answer = StreamCode(options);
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_EQ(answer.out, std::string(kCode) + "\n");
  EXPECT_EQ(answer.err, "");

  options = {"--bizid", "8888", "--type", "aux"};
  options.insert(options.end(), stream.begin(), stream.end());
  EXPECT_EQ(StreamCode(options).out, "8888_65c744266708432b5b764274cf9eb5fe\n");

  options = {"--sdkappid", "12345678"};
  options.insert(options.end(), stream.begin(), stream.end());
  EXPECT_EQ(StreamCode(options).out, "12345678_293710_14y2l2c_main\n");
}

TEST(StreamCodeCommandTest, CheckTellsByItsExitCodeAndSaysWhyNot) {
  const auto check = [](const char* bizid, const char* user, const char* code) {
    return StreamCode({"--bizid", bizid, "--room", "293710", "--user", user, "--check", code});
  };
  Answer answer = check("8888", "14y2l2c", "8888_81265058829FD2E50C8EC2AC78D55127");
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_EQ(answer.out + answer.err, "");

  answer = check("8888", "other", kCode);
  EXPECT_EQ(answer.code, kExitCheckFailed);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, HasSubstr("not that of room 293710, user other"));

  answer = check("9999", "14y2l2c", kCode);
  EXPECT_EQ(answer.code, kExitCheckFailed);
  EXPECT_THAT(answer.err, HasSubstr("the code's BIZID is 8888, not 9999"));
}

TEST(StreamCodeCommandTest, CheckWithoutAStreamLooksAtTheFormAlone) {
  EXPECT_EQ(StreamCode({"--bizid", "8888", "--check", kCode}).code, kExitOk);
  EXPECT_EQ(StreamCode({"--bizid", "8888", "--check", "8888_x"}).code, kExitCheckFailed);
  EXPECT_EQ(StreamCode({"--sdkappid", "1", "--check", "1_r_u_main"}).code, kExitOk);
  EXPECT_EQ(StreamCode({"--sdkappid", "1", "--check", kCode}).code, kExitCheckFailed);
  EXPECT_EQ(StreamCode({"--check", std::string(64, 'x')}).code, kExitOk);
  EXPECT_EQ(StreamCode({"--check", std::string(65, 'x')}).code, kExitCheckFailed);
  EXPECT_EQ(StreamCode({"--check", ""}).code, kExitCheckFailed);
}

TEST(StreamCodeCommandTest, ParseTakesAPlainCodeApart) {
  Answer answer = StreamCode({"--parse", "12345678_12345_userA_main"});
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_EQ(answer.out, "sdkappid  12345678\nroom      12345\nuser      userA\ntype      main\n");
  EXPECT_EQ(answer.err, "");

  answer = StreamCode({"--parse", "12345678_12345_user_A_main"});
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_THAT(answer.out, HasSubstr("user      user_A"));
  EXPECT_THAT(answer.err, HasSubstr("'_'"));

  EXPECT_EQ(StreamCode({"--parse", kCode}).code, kExitCheckFailed);
}

TEST(StreamCodeCommandTest, WhatDoesNotFitTogetherIsAnErrorOfUsage) {
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {},
           {"--bizid", "8888"},
           {"--bizid", "8888", "--room", "1"},
           {"--bizid", "8888", "--user", "1"},
           {"--bizid", "8888", "--user", "1", "--check", kCode},
           {"--room", "1", "--user", "2"},
           {"--room", "1", "--user", "2", "--check", kCode},
           {"--bizid", "88x8", "--room", "1", "--user", "2"},
           {"--bizid", "1", "--sdkappid", "1", "--room", "1", "--user", "2"},
           {"--bizid", "1", "--room", "1", "--user", "2", "--type", "camera"},
           {"--bizid", "1", "--room", "\xFF", "--user", "2"},
           {"--bizid", "1", "--parse", "1_r_u_main"}}) {
    const Answer answer = StreamCode(options);
    EXPECT_EQ(answer.code, kExitUsage) << testing::PrintToString(options);
    EXPECT_EQ(answer.out, "");
    EXPECT_NE(answer.err, "");
  }
}

TEST(PlayUrlCommandTest, PrintsTheAddressAlone) {
  const Answer answer = PlayUrl({"--bizid", "8888", "--code", kCode});
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_EQ(answer.out,
            "http://8888.liveplay.myqcloud.com/live/8888_81265058829fd2e50c8ec2ac78d55127.flv\n");
  EXPECT_EQ(answer.err, "");
  EXPECT_EQ(PlayUrl({"--bizid", "8888", "--code", kCode, "--format", "hls", "--https", "--domain",
                     "play.example", "--path", "show"})
                .out,
            "https://play.example/show/8888_81265058829fd2e50c8ec2ac78d55127.m3u8\n");
  EXPECT_EQ(PlayUrl({"--domain", "play.example", "--code", "s", "--format", "rtmp"}).out,
            "rtmp://play.example/live/s\n");
}

TEST(PlayUrlCommandTest, AddressIsProtectedWithKeyAndTime) {
  const std::string key = "e12c46f2612d5106e2034781ab261ca3";
  const auto push = [](const std::string& key, const std::string& time) {
    return PlayUrl({"--domain", "push.example", "--code", "test", "--format", "push", "--key", key,
                    "--time", time});
  };
  EXPECT_EQ(push(key, "5C271099").out,
            "rtmp://push.example/live/test"
            "?txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099\n");
  EXPECT_THAT(push(key, "1546064025").out, HasSubstr("&txTime=1546064025\n"));
  EXPECT_THAT(push(key, "12h").out, MatchesRegex(".*&txTime=[0-9A-F]{8}\n"));

  const TemporaryFolder folder;
  const std::string path = folder.File("key");
  std::ofstream(path) << key << "\n";
  EXPECT_EQ(push("file:" + path, "5C271099").out, push(key, "5C271099").out);
}

TEST(PlayUrlCommandTest, CheckTellsWhetherAnAddressWasSignedWithTheKey) {
  const std::string key = "e12c46f2612d5106e2034781ab261ca3";
  const std::string address =
      "http://play.example/live/test.flv?txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099";
  EXPECT_EQ(PlayUrl({"--check", address, "--key", key}).code, kExitOk);
  const Answer answer = PlayUrl({"--check", address, "--key", "other"});
  EXPECT_EQ(answer.code, kExitCheckFailed);
  EXPECT_THAT(answer.err, HasSubstr("not that of stream test and txTime 5C271099"));
  EXPECT_EQ(PlayUrl({"--check", address}).code, kExitUsage);
}

TEST(PlayUrlCommandTest, CodeOfAnotherAccountIsRefused) {
  const Answer answer = PlayUrl({"--bizid", "9999", "--code", kCode});
  EXPECT_EQ(answer.code, kExitCheckFailed);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, HasSubstr("the code's BIZID is 8888, not 9999"));
  EXPECT_EQ(PlayUrl({"--bizid", "9999", "--domain", "play.example", "--code", kCode}).code,
            kExitCheckFailed);
}

TEST(PlayUrlCommandTest, WhatDoesNotFitTogetherIsAnErrorOfUsage) {
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {},
           {"--code", kCode},
           {"--bizid", "8888"},
           {"--bizid", "x", "--code", kCode},
           {"--bizid", "8888", "--code", kCode, "--format", "dash"},
           {"--bizid", "8888", "--code", kCode, "--key", "k"},
           {"--bizid", "8888", "--code", kCode, "--time", "12h"},
           {"--bizid", "8888", "--code", kCode, "--key", "k", "--time", "soon"},
           {"--bizid", "8888", "--code", kCode, "--key", "k", "--time", "40000d"},
           {"--bizid", "8888", "--code", kCode, "--key", "file:/nonexistent", "--time", "12h"},
           {"--bizid", "8888", "--code", kCode, "--format", "rtmp", "--https"},
           {"--bizid", "8888", "--code", "8888_a b"},
           {"--domain", "a b", "--code", "s"}}) {
    const Answer answer = PlayUrl(options);
    EXPECT_EQ(answer.code, kExitUsage) << testing::PrintToString(options);
    EXPECT_EQ(answer.out, "");
    EXPECT_NE(answer.err, "");
  }
}

}  // namespace
}  // namespace relay

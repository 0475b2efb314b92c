#include "cli/simulate_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/simulate_kinds.h"
#include "relay/provider_names.h"

namespace relay {
namespace {

using testing::HasSubstr;

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

Answer Simulate(std::vector<std::string> arguments) {
  static constexpr AddCommand kCommands[] = {&AddSimulateCommand};
  arguments.insert(arguments.begin(), "simulate");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Answer answer;
  answer.code = RunCommandLine(kCommands, std::move(arguments), {});
  answer.out = testing::internal::GetCapturedStdout();
  answer.err = testing::internal::GetCapturedStderr();
  return answer;
}

TEST(SimulateCommandTest, EveryProviderKindThatASourceMayNameCanBeSimulated) {
  std::vector<std::string> names;
  for (const SimulateKind& kind : SimulateKinds()) names.push_back(kind.name);
  EXPECT_EQ(names, std::vector<std::string>(kProviderNames.begin(), kProviderNames.end()));
}

TEST(SimulateCommandTest, HelpOfEveryKindSaysHowItSendsAgain) {
  for (const std::string_view name : kProviderNames) {
    const Answer answer = Simulate({std::string(name), "--help"});
    EXPECT_EQ(answer.code, kExitOk) << name;
    EXPECT_THAT(answer.out, HasSubstr("again")) << name;
    EXPECT_THAT(answer.out, HasSubstr("--time-scale")) << name;
  }
}

// Before anything is sent: nobody listens there.
TEST(SimulateCommandTest, WhatDoesNotFitTogetherIsAnErrorOfUsage) {
  const std::string to = "http://127.0.0.1:1/in/demo";
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"tencent-live", "--key", "k"},
           {"tencent-live", "--to", to},
           {"tencent-live", "--to", to, "--key", "file:/nonexistent/key"},
           {"tencent-live", "--to", to, "--key", "k", "--types", "1,1"},
           {"tencent-live", "--to", to, "--key", "k", "--types", "1,200", "--reconnect", "0.5"},
           {"tencent-live", "--to", to, "--key", "k", "--retry", "--time-scale", "0"},
           {"tencent-live", "--to", to, "--key", "k", "--retry-attempts", "3"},
           {"tencent-live", "--to", to, "--key", "k", "--run", "a b"},
           {"tencent-live", "--to", to, "--key", "k", "--open-loop"},
           {"tencent-trtc", "--to", to, "--key", "k", "--types", "enter"},
           {"tencent-trtc", "--to", to, "--key", "k", "--reconnect", "0.5"},
           {"volcengine-live", "--to", to, "--key", "k", "--types", "push start"},
           {"standard-webhooks", "--to", to, "--key", "k"},
           {"hmac", "--to", to, "--key", "k"},
           {"hmac", "--to", to, "--key", "k", "--header", "X", "--signed", "{timestamp}.{body}"},
           {"hmac", "--to", to, "--key", "k", "--header", "X", "--expired", "0.5"},
           {"hmac", "--to", to, "--key", "k", "--header", "X", "--algorithm", "md5"},
           {"github", "--to", to, "--key", secret}}) {
    const Answer answer = Simulate(arguments);
    EXPECT_EQ(answer.code, kExitUsage) << testing::PrintToString(arguments) << answer.err;
    EXPECT_EQ(answer.out, "");
  }
}

}  // namespace
}  // namespace relay

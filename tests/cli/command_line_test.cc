#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

void AddGreetCommand(CLI::App& app, CommandContext& context) {
  auto loud = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("greet", "Say hello");
  command->add_flag("--loud", *loud, "Shout");
  command->callback([loud, &context] {
    context.run = [loud, &context] {
      if (context.config_path == "other.toml") return int{kExitConf};
      return *loud ? int{kExitCheckFailed} : int{kExitOk};
    };
  });
}

int Relayctl(std::vector<std::string> arguments) {
  static constexpr AddCommand kCommands[] = {&AddGreetCommand};
  return RunCommandLine(kCommands, std::move(arguments), {});
}

TEST(CommandLineTest, RunsTheNamedCommandWithItsOptions) {
  EXPECT_EQ(Relayctl({"greet"}), kExitOk);
  EXPECT_EQ(Relayctl({"greet", "--loud"}), kExitCheckFailed);
}

TEST(CommandLineTest, ConfMayStandBeforeOrAfterTheCommand) {
  EXPECT_EQ(Relayctl({"--config", "other.toml", "greet"}), kExitConf);
  EXPECT_EQ(Relayctl({"greet", "--config", "other.toml"}), kExitConf);
}

TEST(CommandLineTest, HelpAndVersionAreNoErrors) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(Relayctl({"--help"}), kExitOk);
  EXPECT_EQ(Relayctl({"--version"}), kExitOk);
  EXPECT_EQ(Relayctl({"greet", "--help"}), kExitOk);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("Say hello"));
}

TEST(CommandLineTest, MisspeltCommandIsAnErrorOfUsageThatNamesTheNearestOne) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Relayctl({"gret"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("there is no command 'gret'. Did you mean 'greet'?"));
}

TEST(CommandLineTest, MissingCommandAndUnknownOptionAreErrorsOfUsage) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Relayctl({}), kExitUsage);
  EXPECT_EQ(Relayctl({"greet", "--lout"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("--lout"));
}

TEST(CommandLineTest, AWordFarFromEveryCommandGetsNoSuggestion) {
  EXPECT_EQ(ClosestWord("simluate", {"sink", "simulate", "status"}), "simulate");
  EXPECT_EQ(ClosestWord("stats", {"sink", "simulate", "status"}), "status");
  EXPECT_EQ(ClosestWord("frobnicate", {"sink", "simulate", "status"}), "");
}

}  // namespace
}  // namespace relay

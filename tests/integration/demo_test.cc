#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::HasSubstr;

// A free block of ports for --base-port: N to N+13 on loopback. The block is looked for, not fixed.
std::string FreeBasePort() {
  for (int base = 20000 + getpid() % 20000; base < 60000; base += 20) {
    bool free = true;
    for (int port : {base, base + 1, base + 2, base + 11, base + 12, base + 13}) {
      free = free && PortIsFree(port);
    }
    if (free) return std::to_string(base);
  }
  return "8080";
}

TEST(DemoTest, OnceEndsWithZeroWhenAllThreeEndpointsHaveTheEvent) {
  const std::string folder = ::testing::TempDir() + "relay-demo-" + std::to_string(getpid());
  ChildProgram up({RELAY_BIN_DIR "/relayctl", "up", "--demo", "--once", "--base-port",
                   FreeBasePort(), "--data", folder},
                  folder + ".out");
  EXPECT_EQ(up.Wait(Seconds(60)).value_or(-1), 0) << up.Output();
  EXPECT_THAT(up.Output(), HasSubstr("customer-a 200"));
  EXPECT_THAT(up.Output(), HasSubstr("customer-b 200"));
  EXPECT_THAT(up.Output(), HasSubstr("customer-c"));
  std::filesystem::remove_all(folder);
  std::filesystem::remove(folder + ".out");
}

TEST(DemoTest, CtrlCDrainsAndLeavesNothingBehind) {
  const std::string folder = ::testing::TempDir() + "relay-demo-c-" + std::to_string(getpid());
  const std::string base = FreeBasePort();
  ChildProgram up(
      {RELAY_BIN_DIR "/relayctl", "up", "--demo", "--base-port", base, "--data", folder},
      folder + ".out");
  ASSERT_TRUE(up.WaitForOutput("ready in \\d+ ms", Seconds(60))) << up.Output();
  ASSERT_TRUE(up.WaitForOutput("accepted in", Seconds(30))) << up.Output();
  up.Signal(SIGINT);
  EXPECT_EQ(up.Wait(Seconds(40)).value_or(-1), 130) << up.Output();
  EXPECT_TRUE(PortIsFree(std::stoi(base)));
  EXPECT_FALSE(std::filesystem::exists(folder + "/redis.sock"));
  std::filesystem::remove_all(folder);
  std::filesystem::remove(folder + ".out");
}

TEST(DemoTest, ABusyPortIsNamedAndEndsWith6) {
  RelaySystem relay;
  const int taken = relay.StartSink("taken");
  ChildProgram up({RELAY_BIN_DIR "/relayctl", "up", "--base-port", std::to_string(taken), "--data",
                   relay.folder() + "/data"},
                  relay.folder() + "/up.out");
  EXPECT_EQ(up.Wait(Seconds(30)).value_or(-1), 6) << up.Output();
  EXPECT_THAT(up.Output(), HasSubstr(std::to_string(taken)));
}

TEST(DemoTest, ADataFolderThatCannotBeMadeEndsWith6) {
  RelaySystem relay;
  // A file where the folder should be: no right of root gets past that.
  ChildProgram up({RELAY_BIN_DIR "/relayctl", "up", "--base-port", FreeBasePort(), "--data",
                   relay.conf_path() + "/data"},
                  relay.folder() + "/up.out");
  EXPECT_EQ(up.Wait(Seconds(30)).value_or(-1), 6) << up.Output();
}

TEST(DemoTest, ASocketPathTooLongIsAnErrorThatSaysSo) {
  RelaySystem relay;
  const std::string deep = relay.folder() + "/" + std::string(120, 'd');
  ChildProgram up({RELAY_BIN_DIR "/relayctl", "up", "--base-port", FreeBasePort(), "--data", deep},
                  relay.folder() + "/up.out");
  EXPECT_EQ(up.Wait(Seconds(30)).value_or(-1), 6) << up.Output();
  EXPECT_THAT(up.Output(), HasSubstr("107"));
}

}  // namespace
}  // namespace relay

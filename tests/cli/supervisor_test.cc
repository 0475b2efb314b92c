#include "cli/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "tests/support/run_until.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    std::string path = std::filesystem::temp_directory_path() / "relay-supervisor-XXXXXX";
    EXPECT_TRUE(mkdtemp(path.data()));
    folder_ = path;
    supervisor_.emplace(loop_, [this](const Supervisor::Death& death) {
      deaths_.push_back(death.spec.name + ": " + DescribeEnd(death.wait_status));
    });
  }
  ~SupervisorTest() override {
    supervisor_.reset();
    std::filesystem::remove_all(folder_);
  }
  ChildSpec Shell(const std::string& name, const std::string& script) const {
    ChildSpec spec;
    spec.name = name;
    spec.argv = {"sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.log_file = Log(name);
    return spec;
  }
  std::string Log(const std::string& name) const { return folder_ + "/" + name + ".log"; }

  std::string folder_;
  SystemLoop loop_;
  std::vector<std::string> deaths_;
  std::optional<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, WhatAChildSaysIsInItsLog) {
  ASSERT_TRUE(supervisor_->Start(Shell("a", "echo out; echo err >&2; exec sleep 100")).ok());
  EXPECT_TRUE(RunUntil(loop_, [&] { return TailOf(Log("a")) == "out\nerr"; }));
}

TEST_F(SupervisorTest, AProgramThatCannotBeRunIsNamed) {
  ChildSpec spec = Shell("a", "");
  spec.argv = {"/no/such/program"};
  const Status status = supervisor_->Start(spec);
  EXPECT_THAT(status.text(), HasSubstr("/no/such/program: No such file"));
}

TEST_F(SupervisorTest, AChildThatIsKilledIsStartedAgain) {
  ASSERT_TRUE(supervisor_->Start(Shell("a", "exec sleep 100")).ok());
  const pid_t first = supervisor_->PidOf("a");
  kill(first, SIGKILL);
  ASSERT_TRUE(RunUntil(
      loop_, [&] { return supervisor_->PidOf("a") != 0 && supervisor_->PidOf("a") != first; }));
  EXPECT_THAT(deaths_, ElementsAre("a: signal 9"));
}

TEST_F(SupervisorTest, ChildrenAreStoppedInTheirOrder) {
  const std::string order = folder_ + "/order";
  ChildSpec late = Shell("late", "trap 'echo late >>" + order +
                                     "; exit' TERM; echo up; "
                                     "while :; do sleep 0.01; done");
  late.stop_order = 2;
  ChildSpec early = late;
  early.name = "early";
  early.log_file = Log("early");
  early.argv[2] = "trap 'echo early >>" + order +
                  "; exit' TERM; echo up; "
                  "while :; do sleep 0.01; done";
  early.stop_order = 1;
  ASSERT_TRUE(supervisor_->Start(late).ok());
  ASSERT_TRUE(supervisor_->Start(early).ok());
  ASSERT_TRUE(
      RunUntil(loop_, [&] { return TailOf(Log("late")) == "up" && TailOf(Log("early")) == "up"; }));
  bool stopped = false;
  supervisor_->Stop([&stopped] { stopped = true; });
  ASSERT_TRUE(RunUntil(loop_, [&] { return stopped; }));
  EXPECT_EQ(TailOf(order), "early\nlate");
  EXPECT_EQ(supervisor_->running(), 0u);
  EXPECT_THAT(deaths_, ElementsAre());
}

TEST_F(SupervisorTest, AChildThatDoesNotEndIsKilledWhenPatienceIsOver) {
  ChildSpec spec = Shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.01; done");
  spec.stop_patience = Millis(50);
  ASSERT_TRUE(supervisor_->Start(spec).ok());
  ASSERT_TRUE(RunUntil(loop_, [&] { return TailOf(Log("deaf")) == "up"; }));
  bool stopped = false;
  supervisor_->Stop([&stopped] { stopped = true; });
  EXPECT_TRUE(RunUntil(loop_, [&] { return stopped; }));
}

TEST_F(SupervisorTest, StoppingNothingEndsToo) {
  bool stopped = false;
  supervisor_->Stop([&stopped] { stopped = true; });
  EXPECT_FALSE(stopped);
  EXPECT_TRUE(RunUntil(loop_, [&] { return stopped; }));
}

// The child holds the writing end of a pipe: its end is the end of the pipe.
TEST_F(SupervisorTest, NothingIsLeftBehindWhenTheSupervisorIsKilled) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const ChildSpec spec = Shell("a", "echo up; exec sleep 100");
  const pid_t middle = fork();
  if (middle == 0) {
    close(ends[0]);
    (void)StartChild(spec);
    while (true) pause();
  }
  close(ends[1]);
  ASSERT_TRUE(RunUntil(loop_, [&] { return TailOf(Log("a")) == "up"; }));
  kill(middle, SIGKILL);
  waitpid(middle, nullptr, 0);
  pollfd gone{ends[0], POLLIN, 0};
  EXPECT_EQ(poll(&gone, 1, 10000), 1);
  EXPECT_TRUE(gone.revents & POLLHUP);
  close(ends[0]);
}

}  // namespace
}  // namespace relay

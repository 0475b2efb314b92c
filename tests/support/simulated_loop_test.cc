#include "tests/support/simulated_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace relay {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SimulatedLoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<Timer> Note(const std::string& word) {
    return loop_.NewTimer([this, word] { log_.push_back(word); });
  }

  SimulatedLoop loop_;
  std::vector<std::string> log_;
};

TEST_F(SimulatedLoopTest, TimersFireInTheOrderOfTheirTimesAndThenOfTheirArming) {
  auto c = Note("c");
  auto a = Note("a");
  auto b = Note("b");
  c->Arm(seconds(2));
  a->Arm(seconds(1));
  b->Arm(seconds(1));
  loop_.Advance(seconds(1));
  EXPECT_THAT(log_, ElementsAre("a", "b"));
  loop_.Advance(seconds(1));
  EXPECT_THAT(log_, ElementsAre("a", "b", "c"));
}

TEST_F(SimulatedLoopTest, ATimerSeesTheTimeAtWhichItIsDue) {
  const MonoTime start = loop_.Now();
  MonoTime seen;
  auto timer = loop_.NewTimer([&] { seen = loop_.Now(); });
  timer->Arm(seconds(3));
  loop_.Advance(seconds(10));
  EXPECT_EQ(seen - start, seconds(3));
  EXPECT_EQ(loop_.Now() - start, seconds(10));
}

TEST_F(SimulatedLoopTest, ACancelledOrDestroyedTimerDoesNotFire) {
  auto cancelled = Note("cancelled");
  auto destroyed = Note("destroyed");
  cancelled->Arm(seconds(1));
  destroyed->Arm(seconds(1));
  cancelled->Cancel();
  destroyed.reset();
  loop_.Advance(seconds(5));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SimulatedLoopTest, ATimerMayDestroyAnotherThatIsDueInTheSameInstant) {
  auto victim = Note("victim");
  auto killer = loop_.NewTimer([&] { victim.reset(); });
  killer->Arm(seconds(1));
  victim->Arm(seconds(1));
  loop_.Advance(seconds(1));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SimulatedLoopTest, PostedWorkComesBeforeTheHooksOfItsTurn) {
  struct Hook final : TurnEndHook {
    explicit Hook(std::vector<std::string>& log) : log_(log) {}
    void OnTurnEnd() override { log_.push_back("hook"); }
    std::vector<std::string>& log_;
  } hook(log_);
  loop_.AtTurnEnd(hook, TurnEndHook::Phase::kBatch);
  loop_.Post([this] { log_.push_back("task"); });
  loop_.RunReady();
  EXPECT_THAT(log_, ElementsAre("task", "hook"));
}

TEST_F(SimulatedLoopTest, AStepOfTheWallClockMovesNoTimer) {
  auto timer = Note("fired");
  timer->Arm(seconds(1));
  const WallTime before = loop_.clock().WallNow();
  loop_.StepWallClock(-seconds(3600));
  loop_.RunReady();
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(loop_.clock().WallNow() - before, -seconds(3600));
}

TEST_F(SimulatedLoopTest, AnInboxKeepsTheOrderAndRunsNothingOnceItIsGone) {
  std::unique_ptr<Inbox> inbox = loop_.NewInbox();
  std::thread other([&] {
    inbox->Post([this] { log_.push_back("a"); });
    inbox->Post([&] {
      log_.push_back("b");
      inbox.reset();
    });
    inbox->Post([this] { log_.push_back("c"); });
  });
  other.join();
  EXPECT_THAT(log_, IsEmpty());
  loop_.RunReady();
  EXPECT_THAT(log_, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace relay

#include "relay/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace relay {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class Note final : public TurnEndHook {
 public:
  Note(std::vector<std::string>& log, std::string word) : log_(log), word_(std::move(word)) {}

 private:
  void OnTurnEnd() override { log_.push_back(word_); }
  std::vector<std::string>& log_;
  std::string word_;
};

TEST(SystemLoopTest, BatchesFormBeforeTheyAreFlushed) {
  SystemLoop loop;
  std::vector<std::string> log;
  Note flush(log, "flush");
  Note batch(log, "batch");
  loop.Post([&] {
    loop.AtTurnEnd(flush, TurnEndHook::Phase::kFlush);
    loop.AtTurnEnd(batch, TurnEndHook::Phase::kBatch);
    loop.AtTurnEnd(batch, TurnEndHook::Phase::kBatch);
    log.push_back("work");
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  EXPECT_THAT(log, ElementsAre("work", "batch", "flush"));
}

TEST(SystemLoopTest, AHookThatDiedIsNotCalled) {
  SystemLoop loop;
  std::vector<std::string> log;
  std::optional<Note> first;
  std::optional<Note> second;
  first.emplace(log, "first");
  second.emplace(log, "second");
  loop.Post([&] {
    loop.AtTurnEnd(*first, TurnEndHook::Phase::kBatch);
    loop.AtTurnEnd(*second, TurnEndHook::Phase::kBatch);
    first.reset();
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  EXPECT_THAT(log, ElementsAre("second"));
}

TEST(SystemLoopTest, ATimerMayDestroyItselfInItsCallback) {
  SystemLoop loop;
  std::unique_ptr<Timer> timer;
  int fired = 0;
  timer = loop.NewTimer([&] {
    ++fired;
    timer.reset();
    loop.Stop();
  });
  timer->Arm(milliseconds(1));
  loop.Run();
  EXPECT_EQ(fired, 1);
}

TEST(SystemLoopTest, ADestroyedTimerDoesNotFire) {
  SystemLoop loop;
  int fired = 0;
  auto doomed = loop.NewTimer([&] { ++fired; });
  doomed->Arm(milliseconds(0));
  doomed.reset();
  auto end = loop.NewTimer([&] { loop.Stop(); });
  end->Arm(milliseconds(5));
  loop.Run();
  EXPECT_EQ(fired, 0);
}

TEST(SystemLoopTest, DeferredObjectsDieAfterTheCallbackThatLetThemGo) {
  struct Witness {
    explicit Witness(bool* gone) : gone_(gone) {}
    ~Witness() { *gone_ = true; }
    bool* gone_;
  };
  SystemLoop loop;
  bool gone = false;
  bool gone_inside = true;
  loop.Post([&] {
    loop.DeferDelete(std::make_unique<Witness>(&gone));
    gone_inside = gone;
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  EXPECT_FALSE(gone_inside);
  EXPECT_TRUE(gone);
}

TEST(SystemLoopTest, WhatAnotherThreadPostsRunsOnTheLoopInItsOrder) {
  SystemLoop loop;
  std::vector<int> ran;
  const std::unique_ptr<Inbox> inbox = loop.NewInbox();
  const std::thread::id here = std::this_thread::get_id();
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) {
      inbox->Post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        ran.push_back(i);
        if (i == 2) loop.Stop();
      });
    }
  });
  loop.Run();
  other.join();
  EXPECT_THAT(ran, ElementsAre(0, 1, 2));
}

TEST(SystemLoopTest, AnInboxMayDieInItsTaskAndTakesTheOthersAlong) {
  SystemLoop loop;
  std::vector<std::string> log;
  std::unique_ptr<Inbox> inbox = loop.NewInbox();
  inbox->Post([&] {
    log.push_back("first");
    inbox.reset();
    loop.Post([&] { loop.Stop(); });
  });
  inbox->Post([&] { log.push_back("second"); });
  loop.Run();
  EXPECT_THAT(log, ElementsAre("first"));
}

}  // namespace
}  // namespace relay

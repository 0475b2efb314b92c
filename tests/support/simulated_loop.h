#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "relay/event_loop.h"

namespace relay {

// A Clock that stands still until a test moves it.
class SimulatedClock final : public Clock {
 public:
  MonoTime Now() const override { return now_; }
  WallTime WallNow() const override { return wall_; }

 private:
  friend class SimulatedLoop;
  // Two numbers without a simple relation, so that nobody confuses the clocks unnoticed.
  MonoTime now_{Micros(1'000'000'000)};
  WallTime wall_{Micros(1'767'225'600'000'000)};  // 2026-01-01T00:00:00Z
};

// An EventLoop whose time moves only when the test says so. It keeps the order that SystemLoop
// promises: what a turn found due runs first, then posted tasks, batches, flushes, and at last the
// deferred deletions. Timers due at the same instant fire in the order in which they were armed.
//
// Nothing runs outside RunReady() and Advance().
class SimulatedLoop final : public EventLoop {
 public:
  SimulatedLoop() = default;
  ~SimulatedLoop() override;

  const Clock& clock() const override { return clock_; }
  std::unique_ptr<Timer> NewTimer(std::function<void()> on_fire) override;
  // What other threads post is met by the next RunReady() or Advance().
  std::unique_ptr<Inbox> NewInbox() override;
  void Post(std::function<void()> task) override { posted_.push_back(std::move(task)); }
  void AtTurnEnd(TurnEndHook& hook, TurnEndHook::Phase phase) override;

  // Runs turns until nothing is due at the present instant.
  void RunReady();
  // Lets `by` go by, stopping at each timer on the way.
  void Advance(Micros by);
  // Sets the wall clock forward or back, as an administrator or NTP does. Timers do not notice.
  void StepWallClock(Micros by) { clock_.wall_ += by; }

  MonoTime Now() const { return clock_.Now(); }
  size_t armed_timers() const { return armed_.size(); }

 protected:
  void DeferDeleteErased(Doomed object) override { doomed_.push_back(std::move(object)); }

 private:
  class SimulatedTimer;
  class SimulatedInbox;
  // Due time, then the order of arming.
  using Due = std::pair<MonoTime, uint64_t>;

  bool SomethingIsReady() const;
  void RunTurn();
  void FireDueTimers();
  void MoveTo(MonoTime when);

  SimulatedClock clock_;
  std::map<Due, SimulatedTimer*> armed_;
  uint64_t armings_ = 0;
  std::vector<std::function<void()>> posted_;
  std::vector<SimulatedInbox*> inboxes_;
  TurnEndQueue batches_;
  TurnEndQueue flushes_;
  std::vector<Doomed> doomed_;
};

}  // namespace relay

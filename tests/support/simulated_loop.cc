#include "tests/support/simulated_loop.h"

#include <algorithm>
#include <mutex>

#include "relay/call_scope.h"
#include "relay/check.h"

namespace relay {

namespace {

// A loop that is still busy after so many turns of one instant never comes to rest.
constexpr int kTurnsPerInstantMax = 1'000'000;

}  // namespace

class SimulatedLoop::SimulatedTimer final : public Timer {
 public:
  SimulatedTimer(SimulatedLoop& loop, std::function<void()> on_fire)
      : loop_(loop), on_fire_(std::move(on_fire)) {}
  ~SimulatedTimer() override { Cancel(); }

  void Arm(Micros delay) override {
    Cancel();
    due_ = Due(loop_.Now() + std::max(delay, Micros(0)), ++loop_.armings_);
    loop_.armed_.emplace(due_, this);
    armed_ = true;
  }
  void Cancel() override {
    if (armed_) loop_.armed_.erase(due_);
    armed_ = false;
  }
  bool armed() const override { return armed_; }

  void Fire() {
    Cancel();
    // A copy, because the callback may destroy this timer and with it the function.
    const auto on_fire = on_fire_;
    on_fire();
  }

 private:
  SimulatedLoop& loop_;
  const std::function<void()> on_fire_;
  Due due_;
  bool armed_ = false;
};

class SimulatedLoop::SimulatedInbox final : public Inbox {
 public:
  explicit SimulatedInbox(SimulatedLoop& loop) : loop_(loop) { loop_.inboxes_.push_back(this); }
  ~SimulatedInbox() override { std::erase(loop_.inboxes_, this); }

  void Post(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  bool empty() {
    const std::lock_guard lock(mutex_);
    return posted_.empty();
  }
  // Moves what it holds to `tasks`, none of which will run once the inbox is gone.
  void MoveTo(std::vector<std::function<void()>>& tasks) {
    const std::lock_guard lock(mutex_);
    for (auto& task : posted_) {
      tasks.push_back([task = std::move(task), watch = scope_.watch()] {
        if (!watch.gone()) task();
      });
    }
    posted_.clear();
  }

 private:
  SimulatedLoop& loop_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  CallScope scope_;
};

SimulatedLoop::~SimulatedLoop() = default;

std::unique_ptr<Inbox> SimulatedLoop::NewInbox() {
  return std::make_unique<SimulatedInbox>(*this);
}

std::unique_ptr<Timer> SimulatedLoop::NewTimer(std::function<void()> on_fire) {
  return std::make_unique<SimulatedTimer>(*this, std::move(on_fire));
}

void SimulatedLoop::AtTurnEnd(TurnEndHook& hook, TurnEndHook::Phase phase) {
  (phase == TurnEndHook::Phase::kBatch ? batches_ : flushes_).Add(hook);
}

bool SimulatedLoop::SomethingIsReady() const {
  return !posted_.empty() || !batches_.empty() || !flushes_.empty() || !doomed_.empty() ||
         (!armed_.empty() && armed_.begin()->first.first <= Now()) ||
         std::any_of(inboxes_.begin(), inboxes_.end(),
                     [](SimulatedInbox* inbox) { return !inbox->empty(); });
}

void SimulatedLoop::RunReady() {
  for (int turns = 0; SomethingIsReady(); ++turns) {
    RELAY_CHECK(turns < kTurnsPerInstantMax);
    RunTurn();
  }
}

void SimulatedLoop::RunTurn() {
  FireDueTimers();
  std::vector<std::function<void()>> tasks;
  tasks.swap(posted_);
  for (SimulatedInbox* inbox : inboxes_) inbox->MoveTo(tasks);
  for (auto& task : tasks) task();
  batches_.Run();
  flushes_.Run();
  std::vector<Doomed> dying;
  dying.swap(doomed_);
}

void SimulatedLoop::FireDueTimers() {
  // What a callback arms now belongs to the next turn, even with a delay of zero.
  const uint64_t last_arming = armings_;
  for (auto next = armed_.begin(); next != armed_.end() && next->first.first <= Now();) {
    if (next->first.second > last_arming) {
      ++next;
      continue;
    }
    next->second->Fire();
    next = armed_.begin();  // The callback may have changed any of them.
  }
}

void SimulatedLoop::Advance(Micros by) {
  const MonoTime end = Now() + by;
  RunReady();
  while (!armed_.empty() && armed_.begin()->first.first <= end) {
    MoveTo(armed_.begin()->first.first);
    RunReady();
  }
  MoveTo(end);
}

void SimulatedLoop::MoveTo(MonoTime when) {
  clock_.wall_ += when - clock_.now_;
  clock_.now_ = when;
}

}  // namespace relay

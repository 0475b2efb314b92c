#include "relay/event_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "relay/c_handle.h"
#include "relay/call_scope.h"
#include "relay/check.h"

namespace relay {

// ---- End-of-turn hooks

struct TurnEndQueue::Slots {
  std::vector<TurnEndHook*> waiting;
  std::vector<TurnEndHook*> running;
};

TurnEndHook::~TurnEndHook() {
  if (!queue_) return;
  // The slot stays, empty: the order of the others is not disturbed. A hook stands in one of the
  // two lists only, and a slot number that belongs to the other list does not hold this pointer.
  for (auto* list : {&queue_->slots_->waiting, &queue_->slots_->running}) {
    if (slot_ < static_cast<int>(list->size()) && (*list)[slot_] == this) (*list)[slot_] = nullptr;
  }
}

TurnEndQueue::TurnEndQueue() : slots_(std::make_unique<Slots>()) {}
TurnEndQueue::~TurnEndQueue() {
  for (TurnEndHook* hook : slots_->waiting) {
    if (hook) hook->queue_ = nullptr;
  }
}

bool TurnEndQueue::empty() const {
  return slots_->waiting.empty();
}

void TurnEndQueue::Add(TurnEndHook& hook) {
  if (hook.queue_ == this) return;
  RELAY_CHECK(!hook.queue_);
  hook.queue_ = this;
  hook.slot_ = static_cast<int>(slots_->waiting.size());
  slots_->waiting.push_back(&hook);
}

void TurnEndQueue::Run() {
  RELAY_CHECK(slots_->running.empty());
  slots_->running.swap(slots_->waiting);
  for (size_t i = 0; i < slots_->running.size(); ++i) {
    TurnEndHook* hook = std::exchange(slots_->running[i], nullptr);
    if (!hook) continue;
    hook->queue_ = nullptr;
    hook->OnTurnEnd();
  }
  slots_->running.clear();
}

// ---- SystemLoop

namespace {

using EventBasePtr = std::unique_ptr<event_base, FreeWith<event_base_free>>;
using EventPtr = std::unique_ptr<event, FreeWith<event_free>>;

timeval ToTimeval(Micros delay) {
  if (delay.count() < 0) delay = Micros(0);
  return {static_cast<time_t>(delay.count() / 1'000'000),
          static_cast<suseconds_t>(delay.count() % 1'000'000)};
}

class LibeventTimer final : public Timer {
 public:
  LibeventTimer(event_base* base, std::function<void()> on_fire)
      : on_fire_(std::move(on_fire)), event_(evtimer_new(base, &LibeventTimer::Fire, this)) {
    RELAY_CHECK(event_);
  }

  void Arm(Micros delay) override {
    const timeval tv = ToTimeval(delay);
    evtimer_add(event_.get(), &tv);
  }
  void Cancel() override { evtimer_del(event_.get()); }
  bool armed() const override { return evtimer_pending(event_.get(), nullptr); }

 private:
  static void Fire(evutil_socket_t, short, void* self) noexcept {
    // A copy, because the callback may destroy this timer and with it the function.
    const auto on_fire = static_cast<LibeventTimer*>(self)->on_fire_;
    on_fire();
  }

  std::function<void()> on_fire_;
  EventPtr event_;
};

// An eventfd counts what was posted and wakes the loop.
class LibeventInbox final : public Inbox {
 public:
  explicit LibeventInbox(event_base* base)
      : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        event_(event_new(base, fd_, EV_READ | EV_PERSIST, &LibeventInbox::OnPosted, this)) {
    RELAY_CHECK(fd_ >= 0 && event_ && event_add(event_.get(), nullptr) == 0);
  }
  ~LibeventInbox() override {
    event_.reset();
    close(fd_);
  }

  void Post(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(task));
    }
    // It fails only where the count is full, and then the loop is awake anyway.
    [[maybe_unused]] const int woken = eventfd_write(fd_, 1);
  }

 private:
  static void OnPosted(evutil_socket_t, short, void* self) noexcept {
    static_cast<LibeventInbox*>(self)->RunPosted();
  }

  void RunPosted() {
    eventfd_t count = 0;
    [[maybe_unused]] const int read = eventfd_read(fd_, &count);
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(posted_);
    }
    const CallScope::Watch watch = scope_.watch();
    for (auto& task : tasks) {
      if (watch.gone()) return;
      task();
    }
  }

  const int fd_;
  EventPtr event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // Guarded by mutex_.
  CallScope scope_;
};

struct SignalWatch {
  std::function<void()> on_signal;
  EventPtr event;
};

}  // namespace

struct SystemLoop::Impl {
  SystemClock clock;
  EventBasePtr base;
  EventPtr turn_end;
  std::vector<std::function<void()>> posted;
  TurnEndQueue batches;
  TurnEndQueue flushes;
  std::vector<Doomed> doomed;
  std::vector<std::unique_ptr<SignalWatch>> signals;

  // Activated from inside a turn, the event runs after all that the turn had found ready: libevent
  // appends it to the queue that it is just working off.
  void WakeAtTurnEnd() { event_active(turn_end.get(), EV_TIMEOUT, 0); }

  static void TurnEnd(evutil_socket_t, short, void* self) noexcept {
    static_cast<Impl*>(self)->RunTurnEnd();
  }

  void RunTurnEnd() {
    std::vector<std::function<void()>> tasks;
    tasks.swap(posted);
    for (auto& task : tasks) task();
    batches.Run();
    flushes.Run();
    std::vector<Doomed> dying;
    dying.swap(doomed);
    dying.clear();
    if (!posted.empty() || !batches.empty() || !flushes.empty() || !doomed.empty()) {
      WakeAtTurnEnd();
    }
  }
};

SystemLoop::SystemLoop() : impl_(std::make_unique<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);
  impl_->base.reset(event_base_new());
  RELAY_CHECK(impl_->base);
  impl_->turn_end.reset(event_new(impl_->base.get(), -1, 0, &Impl::TurnEnd, impl_.get()));
  RELAY_CHECK(impl_->turn_end);
}

SystemLoop::~SystemLoop() {
  while (!impl_->doomed.empty()) std::exchange(impl_->doomed, {}).clear();
  impl_->turn_end.reset();
  impl_->signals.clear();
  // A bufferevent dies by a finalizer in the turn after it was freed, and event_base_free() forgets
  // one whose event had just become active. So there is one more turn, in which nothing of ours is
  // left to be called.
  event_base_loop(impl_->base.get(), EVLOOP_NONBLOCK);
}

const Clock& SystemLoop::clock() const {
  return impl_->clock;
}

std::unique_ptr<Timer> SystemLoop::NewTimer(std::function<void()> on_fire) {
  return std::make_unique<LibeventTimer>(impl_->base.get(), std::move(on_fire));
}

std::unique_ptr<Inbox> SystemLoop::NewInbox() {
  return std::make_unique<LibeventInbox>(impl_->base.get());
}

void SystemLoop::Post(std::function<void()> task) {
  impl_->posted.push_back(std::move(task));
  impl_->WakeAtTurnEnd();
}

void SystemLoop::AtTurnEnd(TurnEndHook& hook, TurnEndHook::Phase phase) {
  (phase == TurnEndHook::Phase::kBatch ? impl_->batches : impl_->flushes).Add(hook);
  impl_->WakeAtTurnEnd();
}

void SystemLoop::DeferDeleteErased(Doomed object) {
  impl_->doomed.push_back(std::move(object));
  impl_->WakeAtTurnEnd();
}

void SystemLoop::OnSignal(int number, std::function<void()> on_signal) {
  auto watch = std::make_unique<SignalWatch>();
  watch->on_signal = std::move(on_signal);
  watch->event.reset(evsignal_new(
      impl_->base.get(), number,
      [](evutil_socket_t, short, void* self) noexcept {
        static_cast<SignalWatch*>(self)->on_signal();
      },
      watch.get()));
  RELAY_CHECK(watch->event && evsignal_add(watch->event.get(), nullptr) == 0);
  impl_->signals.push_back(std::move(watch));
}

void SystemLoop::Run() {
  event_base_loop(impl_->base.get(), EVLOOP_NO_EXIT_ON_EMPTY);
}
void SystemLoop::Stop() {
  event_base_loopbreak(impl_->base.get());
}
event_base* SystemLoop::base() {
  return impl_->base.get();
}

}  // namespace relay

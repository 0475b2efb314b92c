#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "relay/clock.h"

struct event_base;

namespace relay {

// One timer of an EventLoop. A handle is its registration: destroy it and its callback will not
// come. It may be armed, cancelled or destroyed inside its own callback.
class Timer {
 public:
  virtual ~Timer() = default;
  // Fires once after `delay` (at the next turn when zero or less); an armed timer starts anew.
  virtual void Arm(Micros delay) = 0;
  virtual void Cancel() = 0;
  virtual bool armed() const = 0;
};

// Work that is done once at the end of a loop turn, after every callback of that turn: batches are
// formed first, then written. Each phase of a hook runs at most once a turn, however often asked.
class TurnEndHook {
 public:
  enum class Phase { kBatch, kFlush };
  TurnEndHook() = default;
  TurnEndHook(const TurnEndHook&) = delete;
  TurnEndHook& operator=(const TurnEndHook&) = delete;
  virtual ~TurnEndHook();

 protected:
  virtual void OnTurnEnd() = 0;

 private:
  friend class TurnEndQueue;
  class TurnEndQueue* queue_ = nullptr;  // Where it waits now; null when it does not.
  int slot_ = 0;
};

// The hooks that wait for the end of a turn, in the order of asking. Used by the loops only.
class TurnEndQueue {
 public:
  TurnEndQueue();
  ~TurnEndQueue();
  void Add(TurnEndHook& hook);
  // Runs what waits; what is added meanwhile waits for the next call.
  void Run();
  bool empty() const;

 private:
  friend class TurnEndHook;
  struct Slots;
  std::unique_ptr<Slots> slots_;
};

// Where other threads leave work for the loop's thread. A handle is its registration: destroy it,
// on the loop's thread, and what it still holds is not run. It may be destroyed inside its own
// tasks, but not while another thread may still post to it.
class Inbox {
 public:
  virtual ~Inbox() = default;
  // From any thread: the loop calls `task` in one of its next turns, in the order of posting.
  virtual void Post(std::function<void()> task) = 0;
};

// Timers, posting, end-of-turn hooks, deferred deletion and signals of one thread. Everything that
// is handed an EventLoop belongs to its thread, but for Inbox::Post(), and must be gone before the
// loop is.
class EventLoop {
 public:
  virtual ~EventLoop() = default;

  virtual const Clock& clock() const = 0;
  virtual std::unique_ptr<Timer> NewTimer(std::function<void()> on_fire) = 0;
  virtual std::unique_ptr<Inbox> NewInbox() = 0;
  // Calls `task` later in this turn or in the next one, never from inside this call.
  virtual void Post(std::function<void()> task) = 0;
  // Calls hook.OnTurnEnd() once at the end of this turn. Asking twice is asking once.
  virtual void AtTurnEnd(TurnEndHook& hook, TurnEndHook::Phase phase) = 0;
  // Destroys `object` when no callback of ours is on the stack any more.
  template <typename T>
  void DeferDelete(std::unique_ptr<T> object) {
    if (object) {
      DeferDeleteErased(Doomed(object.release(), [](void* p) { delete static_cast<T*>(p); }));
    }
  }

 protected:
  using Doomed = std::unique_ptr<void, void (*)(void*)>;
  virtual void DeferDeleteErased(Doomed object) = 0;
};

// The EventLoop of the programs: libevent on epoll.
class SystemLoop final : public EventLoop {
 public:
  SystemLoop();
  ~SystemLoop() override;

  const Clock& clock() const override;
  std::unique_ptr<Timer> NewTimer(std::function<void()> on_fire) override;
  std::unique_ptr<Inbox> NewInbox() override;
  void Post(std::function<void()> task) override;
  void AtTurnEnd(TurnEndHook& hook, TurnEndHook::Phase phase) override;

  // Calls `on_signal` from the loop at each arrival of `number`, for the life of the loop.
  void OnSignal(int number, std::function<void()> on_signal);
  // Runs until Stop(). SIGPIPE is ignored from construction on.
  void Run();
  // Makes Run() return after the present turn.
  void Stop();

  // For the files that own a C library on this loop (transport, http_client, resolver).
  event_base* base();

 protected:
  void DeferDeleteErased(Doomed object) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay

#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/child_process.h"
#include "relay/call_scope.h"
#include "relay/event_loop.h"

namespace relay {

// Runs the children of `relayctl up`: starts them, sees them end, starts again what ended by
// itself, stops them in order. None outlives it: what still runs when it is destroyed is killed,
// and the kernel does the same when this process is killed.
//
// `loop` outlives it, and one Supervisor at a time uses a loop: SIGCHLD belongs to it.
class Supervisor {
 public:
  static constexpr Millis kRestartDelayFirst{200};
  static constexpr Millis kRestartDelayMax{5000};
  // A child that has run for so long starts with the first delay again.
  static constexpr Millis kSteadyAfter{10000};

  // A child has ended and was not asked to. It is started again after `restart_in`.
  struct Death {
    const ChildSpec& spec;
    int wait_status;
    Millis restart_in;
  };
  using OnDeath = std::function<void(const Death&)>;

  Supervisor(SystemLoop& loop, OnDeath on_death);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  Status Start(ChildSpec spec);

  // Asks all to end, group by group in their stop order, kills those that run out of patience, and
  // then calls `on_stopped`, once, from the loop. Nothing is started again from now on.
  void Stop(std::function<void()> on_stopped);
  // Kills all at once; an ongoing Stop() ends with it.
  void KillAll();

  // The process id of a child, 0 when it does not run or there is none of this name.
  pid_t PidOf(const std::string& name) const;
  size_t running() const;

 private:
  struct Child;

  void OnSomeChildEnded();
  void OnEnd(Child& child, int wait_status);
  void StartAgain(Child& child);
  void StopNextGroup();
  void OnPatienceOver();

  SystemLoop& loop_;
  OnDeath on_death_;
  std::vector<std::unique_ptr<Child>> children_;
  bool stopping_ = false;
  std::function<void()> on_stopped_;
  std::unique_ptr<Timer> patience_timer_;
  CallScope alive_;
};

}  // namespace relay

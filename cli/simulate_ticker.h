#pragma once

#include <functional>
#include <memory>

#include "relay/event_loop.h"

namespace relay {

// Calls `on_tick` every `period`, to within some tens of microseconds. The loop's timers are as
// coarse as epoll's timeout, a millisecond; a load whose latencies are counted from the moment each
// request was meant to leave would show that millisecond as the server's.
//
// `loop` outlives it. Destroying it ends the ticks.
class PreciseTicker {
 public:
  PreciseTicker(SystemLoop& loop, Micros period, std::function<void()> on_tick);
  ~PreciseTicker();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay

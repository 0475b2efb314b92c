#pragma once

#include <functional>

#include "relay/event_loop.h"

namespace relay {

// Runs `loop` until `done()` holds, looking after every millisecond, and tells whether it came to
// hold within `patience`. For tests with real sockets; others move a SimulatedLoop.
inline bool RunUntil(SystemLoop& loop, const std::function<bool()>& done,
                     Millis patience = Millis(20000)) {
  const MonoTime end = loop.clock().Now() + patience;
  bool held = false;
  std::unique_ptr<Timer> look;
  look = loop.NewTimer([&] {
    held = done();
    if (held || loop.clock().Now() >= end) {
      loop.Stop();
    } else {
      look->Arm(Millis(1));
    }
  });
  look->Arm(Micros(0));
  loop.Run();
  return held;
}

}  // namespace relay

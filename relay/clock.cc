#include "relay/clock.h"

namespace relay {

MonoTime SystemClock::Now() const {
  return std::chrono::time_point_cast<Micros>(std::chrono::steady_clock::now());
}

WallTime SystemClock::WallNow() const {
  return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
}

}  // namespace relay

#pragma once

#include <chrono>
#include <cstdint>

namespace relay {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// A point on a clock that never goes back: for timeouts, leases and latencies.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Micros>;
// A point in UTC: for what is stored, signed or shown.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Micros>;

// The only reader of the system's clocks. Everything else is handed a Clock, so that a test can
// move time itself.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime Now() const = 0;
  virtual WallTime WallNow() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonoTime Now() const override;
  WallTime WallNow() const override;
};

// For reports: milliseconds with their fraction.
constexpr double AsMillis(Micros time) {
  return static_cast<double>(time.count()) / 1000;
}

inline int64_t MicrosSinceEpoch(WallTime t) {
  return t.time_since_epoch().count();
}
inline int64_t MillisSinceEpoch(WallTime t) {
  return t.time_since_epoch().count() / 1000;
}
inline int64_t SecondsSinceEpoch(WallTime t) {
  return t.time_since_epoch().count() / 1'000'000;
}
inline WallTime WallTimeFromMicros(int64_t us) {
  return WallTime(Micros(us));
}

}  // namespace relay

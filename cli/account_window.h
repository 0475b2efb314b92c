#pragma once

#include <cstdint>

namespace relay {

// The account looks at time in windows of 100 ms, numbered from the epoch.
constexpr int64_t kWindowUs = 100'000;

constexpr int64_t WindowOf(int64_t at_us) {
  return at_us / kWindowUs;
}
// The first window that begins at or after this moment.
constexpr int64_t WindowFrom(int64_t at_us) {
  return (at_us + kWindowUs - 1) / kWindowUs;
}

}  // namespace relay

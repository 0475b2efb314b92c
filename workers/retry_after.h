#pragma once

#include <string>

#include "relay/clock.h"

namespace relay {

inline constexpr Millis kRetryAfterReadMax = std::chrono::hours(24);

// The value of a Retry-After header as a delay from `now`: a number of seconds, or a date in one of
// the three forms of RFC 9110 section 5.6.7. Zero for what is neither, and for a date that has
// passed; at most a day, whatever the text says.
Millis ParseRetryAfter(const std::string& value, WallTime now);

}  // namespace relay

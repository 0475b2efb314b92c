#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// Durations and sizes as people write them in conf, catalog and command lines.

// "15s", "250ms", "10m", "48h", "30d": a whole number and a unit, which "0" does not need.
Result<Millis> ParseDuration(std::string_view text);
// The shortest such text: 90000 ms is "90s", 120000 ms is "2m".
std::string FormatDuration(Millis duration);
// Milliseconds since the epoch in RFC 3339, UTC: "2026-01-31T08:00:00.000Z".
std::string TimeText(int64_t ms);

// "64KiB", "1MiB", "2GiB" or a bare number of bytes.
Result<int64_t> ParseBytes(std::string_view text);
// The shortest such text that is exact: 65536 is "64KiB", 1000 is "1000".
std::string FormatBytes(int64_t bytes);

}  // namespace relay

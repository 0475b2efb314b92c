#include "relay/units.h"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>
#include <span>

namespace relay {

namespace {

struct Unit {
  std::string_view name;
  int64_t size;
};

// Largest first, so that formatting finds the shortest text.
constexpr Unit kDurations[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
constexpr Unit kSizes[] = {
    {"GiB", 1024LL * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}, {"", 1}};

// The number and its unit's size multiplied, or false.
bool Parse(std::string_view text, std::span<const Unit> units, int64_t* out) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 0) return false;
  const std::string_view name(rest, end - rest);
  for (const Unit& unit : units) {
    if (name != unit.name) continue;
    if (count > std::numeric_limits<int64_t>::max() / unit.size) return false;
    *out = count * unit.size;
    return true;
  }
  return false;
}

std::string Format(int64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.size == 0) {
      return std::to_string(value / unit.size).append(unit.name);
    }
  }
  return "0";
}

}  // namespace

Result<Millis> ParseDuration(std::string_view text) {
  int64_t ms = 0;
  if (text != "0" && !Parse(text, kDurations, &ms)) {
    return Status::InvalidArgument(
        "a duration is a whole number and one of ms, s, m, h, d, such as \"15s\"");
  }
  return Millis(ms);
}

std::string FormatDuration(Millis duration) {
  if (duration.count() == 0) return "0s";
  return Format(duration.count(), kDurations);
}

Result<int64_t> ParseBytes(std::string_view text) {
  int64_t bytes = 0;
  if (!Parse(text, kSizes, &bytes)) {
    return Status::InvalidArgument(
        "a size is a whole number of bytes or of KiB, MiB, GiB, such as \"64KiB\"");
  }
  return bytes;
}

std::string FormatBytes(int64_t bytes) {
  return Format(bytes, kSizes);
}

std::string TimeText(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  char date[24];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  char out[32];
  std::snprintf(out, sizeof(out), "%s.%03dZ", date, static_cast<int>(ms % 1000));
  return out;
}

}  // namespace relay

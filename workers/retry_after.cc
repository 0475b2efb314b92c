#include "workers/retry_after.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "relay/json_text.h"

namespace relay {
namespace {

Millis SecondsToDelay(const std::string& digits) {
  constexpr size_t kDigitsMax = 9;  // More is beyond the cap, and beyond what stoll takes.
  if (digits.size() > kDigitsMax) return kRetryAfterReadMax;
  return std::min<Millis>(Seconds(std::stoll(digits)), kRetryAfterReadMax);
}

}  // namespace

Millis ParseRetryAfter(const std::string& value, WallTime now) {
  if (AllDigits(value)) return SecondsToDelay(value);
  // A fixed date, the one of RFC 850, and asctime's. The locale is "C" in all our programs.
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    tm date{};
    const char* end = strptime(value.c_str(), format, &date);
    if (!end || *end != '\0') continue;
    const int64_t wait_s = int64_t(timegm(&date)) - SecondsSinceEpoch(now);
    return std::clamp<Millis>(Seconds(std::clamp<int64_t>(wait_s, 0, 1'000'000)), Millis(0),
                              kRetryAfterReadMax);
  }
  return Millis(0);
}

}  // namespace relay

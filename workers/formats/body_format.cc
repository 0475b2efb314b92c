#include "workers/formats/body_format.h"

#include "relay/units.h"
#include "relay/utf8.h"

namespace relay {

namespace {
constexpr int64_t kLastMsOfYear9999 = 253'402'300'799'999;
}  // namespace

std::string FormattedTime(int64_t ms) {
  return ms <= 0 || ms > kLastMsOfYear9999 ? "" : TimeText(ms);
}

std::string_view SubjectOf(const FormatInput& input) {
  if (!input.facts->stream.empty()) return input.facts->stream;
  const std::string_view key = input.event.ordering_key;
  return IsUtf8(key) ? key : std::string_view();
}

}  // namespace relay

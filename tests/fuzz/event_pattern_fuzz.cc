#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "relay/event_pattern.h"
#include "relay/json_object.h"
#include "relay/pattern_index.h"

// The input is a pattern, a newline, and an event. For every input:
//
//   1. Neither is too odd to be read or refused, and a complaint says something.
//   2. What the pattern answers alone is what it answers through an index, between others.
//   3. It has an explanation exactly where it does not match.

namespace relay {
namespace {

[[noreturn]] void Fail(const char* claim, std::string_view detail) {
  std::fprintf(stderr, "broken: %s: %.*s\n", claim, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void Check(JsonObject& body, std::string_view text, std::string_view event) {
  const Result<EventPattern> pattern = EventPattern::Parse(text);
  if (!pattern.ok()) {
    if (pattern.status().text().empty()) Fail("a complaint says something", text);
    return;
  }
  if (!body.Parse(event).ok()) return;
  const EventAttributes attributes{"100", "live", "acme"};
  const bool alone = pattern->Matches(&body, attributes);
  if (alone != pattern->Explain(&body, attributes).empty()) Fail("an explanation", text);
  // What stands beside it asks for other paths, so that its own have other numbers there.
  const Result<EventPattern> other =
      EventPattern::Parse(R"({"z":{"a":["x"]},"b":[{"prefix":""}]})");
  PatternIndex index({*other, *pattern, EventPattern()});
  std::vector<uint32_t> matching;
  index.Match(&body, attributes, matching);
  bool together = false;
  for (const uint32_t i : matching) together = together || i == 1;
  if (alone != together) Fail("the index answers as the pattern", text);
}

}  // namespace
}  // namespace relay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static relay::JsonObject body;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t split = input.find('\n');
  if (split == std::string::npos) return 0;
  relay::Check(body, std::string_view(input).substr(0, split),
               std::string_view(input).substr(split + 1));
  return 0;
}

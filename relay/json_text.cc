#include "relay/json_text.h"

#include <algorithm>
#include <charconv>

#include "relay/ascii.h"

namespace relay {
namespace {

constexpr size_t kTimeDigitsMax = 15;
constexpr int64_t kMillisecondsFrom = 100'000'000'000;

}  // namespace

std::string_view TextOf(const JsonObject& object, std::initializer_list<std::string_view> names,
                        std::string& buffer) {
  for (const std::string_view name : names) {
    const JsonMember* member = object.Find(name);
    if (member == nullptr) continue;
    if (member->kind == JsonKind::kNumber) return member->raw;
    if (member->kind != JsonKind::kString) continue;
    const std::string_view text = member->StringValue(buffer);
    if (!text.empty()) return text;
  }
  return {};
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

int64_t TimeMsOf(std::string_view digits) {
  if (!AllDigits(digits) || digits.size() > kTimeDigitsMax) return 0;
  int64_t time = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), time);
  return time >= kMillisecondsFrom ? time : time * 1000;
}

}  // namespace relay

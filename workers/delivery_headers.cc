#include "workers/delivery_headers.h"

#include <algorithm>
#include <charconv>

namespace relay {
namespace {

constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdDigits = 16;
// "00-<trace id>-<span id>-<flags>"
constexpr size_t kTraceparentBytes = 2 + 1 + kTraceIdDigits + 1 + kSpanIdDigits + 1 + 2;

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// Whether `text` is a traceparent of version 00 whose trace can be continued.
bool IsTraceparent(std::string_view text) {
  if (text.size() != kTraceparentBytes || text.substr(0, 3) != "00-") return false;
  const std::string_view trace = text.substr(3, kTraceIdDigits);
  const std::string_view span = text.substr(4 + kTraceIdDigits, kSpanIdDigits);
  const std::string_view flags = text.substr(kTraceparentBytes - 2);
  return text[3 + kTraceIdDigits] == '-' && text[kTraceparentBytes - 3] == '-' &&
         IsLowerHex(trace) && !IsZero(trace) && IsLowerHex(span) && !IsZero(span) &&
         IsLowerHex(flags);
}

}  // namespace

std::string_view KeptHeader(const Event& event, std::string_view name) {
  std::string_view rest = event.headers;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.size() <= name.size() || line.substr(0, name.size()) != name) continue;
    if (line[name.size()] != ':') continue;
    const size_t begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
  }
  return {};
}

int HopsBehind(const Event& event) {
  const std::string_view text = KeptHeader(event, "relay-hops");
  unsigned hops = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hops);
  if (error == std::errc::result_out_of_range) return 1'000'000;
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return int(std::min(hops, 1'000'000u));
}

std::string MakeTraceparent(const Event& event, Random& random) {
  std::string span = random.Hex(kSpanIdDigits);
  if (IsZero(span)) span.back() = '1';  // All zeros would mean "none".
  const std::string_view incoming = KeptHeader(event, "traceparent");
  if (IsTraceparent(incoming)) {
    return std::string(incoming.substr(0, 3 + kTraceIdDigits)) + "-" + span +
           std::string(incoming.substr(kTraceparentBytes - 3));
  }
  return "00-" + event.id + "-" + span + "-00";
}

void AppendHeader(std::string_view name, std::string_view value, std::string& out) {
  const bool printable = std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
  if (printable && !value.empty()) out.append(name).append(": ").append(value).append("\n");
}

}  // namespace relay

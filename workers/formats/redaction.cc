#include "workers/formats/redaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "relay/ascii.h"

namespace relay {
namespace {

constexpr std::string_view kBlank = "***";
// Stands for a character of no meaning here.
constexpr char kOther = 'x';

// The character that `digits` are the hexadecimal number of; kOther beyond ASCII, 0 for no number.
char HexChar(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    const int digit = HexDigit(c);
    if (digit < 0) return 0;
    value = value << 4 | static_cast<unsigned>(digit);
  }
  return value > 0 && value < 0x80 ? static_cast<char>(value) : kOther;
}

bool IsNameChar(char c) {
  return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

// One character as it is written: itself, or a JSON escape behind however many backslashes (one for
// each string that it is nested in).
struct Written {
  char c = 0;
  size_t size = 0;
};

Written ReadJson(std::string_view text, size_t at) {
  if (text[at] != '\\') return {text[at], 1};
  const size_t mark = text.find_first_not_of('\\', at);
  if (mark == std::string_view::npos) return {kOther, text.size() - at};
  const size_t size = mark - at + 1;
  switch (text[mark]) {
    case 'u': {
      const std::string_view digits = text.substr(mark + 1, 4);
      const char c = digits.size() == 4 ? HexChar(digits) : '\0';
      return c != 0 ? Written{c, size + 4} : Written{kOther, size};
    }
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return {' ', size};
    default:
      return {text[mark], size};
  }
}

Written ReadPercent(std::string_view text, size_t at) {
  if (text[at] != '%') return ReadJson(text, at);
  const std::string_view digits = text.substr(at + 1, 2);
  const char c = digits.size() == 2 ? HexChar(digits) : '\0';
  return c != 0 ? Written{c, 3} : Written{'%', 1};
}

bool EndsValue(char c) {
  return c == '&' || c == '#' || c == '"' || c == '<' || c == '>' || (c >= 0 && c <= ' ') ||
         c == 0x7f;
}

// Whether a name may begin at `at`: not within another word. A word may end with an escape.
bool BeginsName(std::string_view text, size_t at) {
  if (at == 0 || !IsNameChar(text[at - 1])) return true;
  if (at >= 2 && text[at - 2] == '\\') return ReadJson(text, at - 2).c == ' ';
  if (at >= 3 && text[at - 3] == '%') return !IsNameChar(ReadPercent(text, at - 3).c);
  if (at >= 6 && text[at - 6] == '\\') {
    const Written escape = ReadJson(text, at - 6);
    return escape.size == 6 && !IsNameChar(escape.c);
  }
  return false;
}

// Begin and end of the value of the parameter whose name ends at `at`; both are `at` when this is
// no parameter.
std::pair<size_t, size_t> FindValue(std::string_view text, size_t at) {
  if (at == text.size()) return {at, at};
  const Written sign = ReadPercent(text, at);
  if (sign.c != '=') return {at, at};
  // Within a URL that is a parameter itself, percent-encoding ends the value; elsewhere it belongs
  // to the value.
  const bool nested = text[at] == '%';
  size_t end = at + sign.size;
  while (end < text.size()) {
    const Written next = nested ? ReadPercent(text, end) : ReadJson(text, end);
    if (EndsValue(next.c)) break;
    end += next.size;
  }
  return {at + sign.size, end};
}

}  // namespace

bool RedactParameters(std::string_view body, std::span<const std::string> names, std::string& out) {
  std::vector<std::pair<size_t, size_t>> values;
  for (const std::string& name : names) {
    for (size_t at = body.find(name); at != std::string_view::npos;
         at = body.find(name, at + name.size())) {
      if (!BeginsName(body, at)) continue;
      const auto value = FindValue(body, at + name.size());
      if (value.first != at + name.size()) values.push_back(value);
    }
  }
  if (values.empty()) return false;
  std::sort(values.begin(), values.end());
  out.clear();
  out.reserve(body.size() + values.size() * kBlank.size());
  size_t copied = 0;
  for (const auto& [begin, end] : values) {
    // Within a value that is blanked already, or reaching beyond it: one blank is enough for both.
    if (begin > copied) out.append(body.substr(copied, begin - copied)).append(kBlank);
    copied = std::max(copied, end);
  }
  out.append(body.substr(copied));
  return true;
}

}  // namespace relay

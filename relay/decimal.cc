#include "relay/decimal.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "relay/ascii.h"
#include "relay/quick_hash.h"

namespace relay {
namespace {

// Values of up to this many digits are spelled in full by CanonicalNumber().
constexpr int64_t kPlainDigitsMax = 20;
constexpr int64_t kExponentMax = 1'000'000'000;

// `text` follows the "e" of a number.
int64_t ReadExponent(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int32_t exponent = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (read.ec == std::errc()) return exponent;
  return text.starts_with('-') ? std::numeric_limits<int32_t>::min()
                               : std::numeric_limits<int32_t>::max();
}

// The digits of a Decimal one by one, past the point that may stand among them.
class DigitReader {
 public:
  explicit DigitReader(std::string_view digits) : digits_(digits) {}

  // '\0' behind the last one.
  char Next() {
    if (at_ < digits_.size() && digits_[at_] == '.') ++at_;
    return at_ < digits_.size() ? digits_[at_++] : '\0';
  }

 private:
  std::string_view digits_;
  size_t at_ = 0;
};

int CompareMagnitude(const Decimal& a, const Decimal& b) {
  if (a.digits.empty() || b.digits.empty()) {
    return static_cast<int>(!a.digits.empty()) - static_cast<int>(!b.digits.empty());
  }
  if (a.point != b.point) return a.point < b.point ? -1 : 1;
  DigitReader left(a.digits);
  DigitReader right(b.digits);
  while (true) {
    const char l = left.Next();
    const char r = right.Next();
    if (l != r) return l < r ? -1 : 1;
    if (l == '\0') return 0;
  }
}

}  // namespace

Decimal Decimal::Read(std::string_view literal) {
  Decimal out;
  if (literal.starts_with('-')) {
    out.negative = true;
    literal.remove_prefix(1);
  }
  size_t end = 0;
  size_t point = std::string_view::npos;
  size_t first = std::string_view::npos;
  size_t last = 0;
  for (; end < literal.size(); ++end) {
    const char c = literal[end];
    if (c == '.') {
      point = end;
    } else if (!IsDigit(c)) {
      break;
    } else if (c != '0') {
      if (first == std::string_view::npos) first = end;
      last = end;
    }
  }
  if (first == std::string_view::npos) return {};  // Zero has no sign.
  if (point == std::string_view::npos) point = end;
  out.digits = literal.substr(first, last - first + 1);
  // 0.0012 is 0.12 times 10^-2; 12 is 0.12 times 10^2.
  out.point = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  if (first > point) ++out.point;
  if (end < literal.size()) out.point += ReadExponent(literal.substr(end + 1));
  return out;
}

uint64_t Decimal::Hash(uint64_t seed) const {
  uint64_t hash = MixHash(seed, static_cast<uint64_t>(point) << 1 | (negative ? 1 : 0));
  DigitReader reader(digits);
  while (const char digit = reader.Next()) hash = MixHash(hash, static_cast<uint8_t>(digit));
  return hash;
}

int Compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int magnitude = CompareMagnitude(a, b);
  return a.negative ? -magnitude : magnitude;
}

std::string CanonicalNumber(std::string_view number) {
  const Decimal value = Decimal::Read(number);
  if (value.point > kExponentMax || value.point < -kExponentMax) return "";
  if (value.digits.empty()) return "0";
  std::string digits(value.digits);
  std::erase(digits, '.');
  int64_t exponent = value.point - static_cast<int64_t>(digits.size());
  if (exponent > 0 && value.point <= kPlainDigitsMax) {
    digits.append(exponent, '0');
    exponent = 0;
  }
  if (exponent != 0) digits += 'e' + std::to_string(exponent);
  return value.negative ? '-' + digits : digits;
}

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

// The exact value of a JSON number: 0.DIGITS times ten to the power of `point`. A view of the
// literal, so that reading and comparing allocate nothing, however long it is; a double would take
// 9007199254740993 for its neighbour.
struct Decimal {
  bool negative = false;
  int64_t point = 0;
  // From the first digit that is not 0 to the last; the decimal point may stand among them. Empty
  // for zero.
  std::string_view digits;

  // Requires: `literal` is a JSON number, which must outlive the result. An exponent that does not
  // fit into 32 bits counts as the nearest one that does.
  static Decimal Read(std::string_view literal);
  // Equal for equal values, however they are spelled.
  uint64_t Hash(uint64_t seed) const;
};

// Less than, equal to or greater than 0, as `a` is beside `b`.
int Compare(const Decimal& a, const Decimal& b);

// One spelling for each decimal value: sign, digits without leading or trailing zeros, exponent.
// Integers of up to 20 digits are spelled as such. Empty when the exponent is beyond a billion.
// Requires: `number` is a JSON number.
std::string CanonicalNumber(std::string_view number);

}  // namespace relay

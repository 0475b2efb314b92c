#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/decimal.h"
#include "relay/event_values.h"
#include "relay/ip_address.h"

namespace relay {

// One side of a range of numbers, compared by exact decimal value.
struct NumberBound {
  enum class Relation { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

  Relation relation = Relation::kEqual;
  bool negative = false;
  int64_t point = 0;
  std::string digits;

  // Requires: `literal` is a JSON number.
  static NumberBound Read(Relation relation, std::string_view literal);
  Decimal value() const { return {negative, point, digits}; }
  bool Holds(const Decimal& number) const;
};

// One of the things that a pattern accepts in a place, e.g. 5 or {"prefix": "a"}.
struct ValueFilter {
  enum class Kind {
    kText,
    kPrefix,
    kSuffix,
    kTextIgnoringCase,
    kPrefixIgnoringCase,
    kSuffixIgnoringCase,
    kWildcard,
    kNumber,  // All of `bounds` hold.
    kTrue,
    kFalse,
    kNull,
    kBlock,        // An IP address of `block`.
    kAnythingBut,  // Any value that none of `except` takes.
    kPresent,
    kAbsent,  // There is no value: takes none.
  };

  Kind kind = Kind::kText;
  // Decoded; where case is ignored, in lower case.
  std::string text;
  // kWildcard: what stands between the stars, the first and the last perhaps empty.
  std::vector<std::string> pieces;
  std::vector<NumberBound> bounds;
  IpBlock block;
  std::vector<ValueFilter> except;

  // Allocates nothing. Requires: `value` is no object and no array.
  bool Takes(const EventValues::Value& value) const;
};

}  // namespace relay

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/value_filter.h"

namespace relay {

struct PatternObject;

// One member of an object of a pattern.
struct PatternClause {
  enum class Kind {
    kValues,  // "name": [...], one of `any_of` must take the value
    kObject,  // "name": {...}, the one object in `objects` must match below
    kOr,      // "$or": [{...}, {...}], one of `objects` must match in the same place
  };

  Kind kind = Kind::kValues;
  std::string name;
  uint32_t path = 0;  // In the EventPaths that the pattern was compiled for; kOr has none.
  // Where its value stands in the text of the pattern.
  size_t begin = 0;
  size_t length = 0;
  std::vector<ValueFilter> any_of;
  std::vector<PatternObject> objects;
};

// An object of a pattern: all of it must match.
struct PatternObject {
  std::vector<PatternClause> clauses;
};

}  // namespace relay

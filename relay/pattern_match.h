#pragma once

#include <cstdint>

#include "relay/event_values.h"
#include "relay/pattern_tree.h"

namespace relay {

// What became of an object of a pattern in one place of an event. kByAbsence is a match that found
// nothing and wanted nothing: only {"exists": false} speaks for it. Within an array it counts where
// every element says so, because one element without a member does not make the member absent.
enum class PatternVerdict { kNo, kByAbsence, kYes };

// Holds `pattern` against the value numbered `value`, EventValues::kAbsent for none. An array
// matches by one of its elements, and all of `pattern` by the same one. Allocates nothing.
PatternVerdict MatchPattern(const PatternObject& pattern, const EventValues& values,
                            uint32_t value);
PatternVerdict MatchClause(const PatternClause& clause, const EventValues& values, uint32_t object);

}  // namespace relay

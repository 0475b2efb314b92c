#pragma once

#include <string>
#include <string_view>

#include "relay/event_values.h"
#include "relay/pattern_tree.h"

namespace relay {

// Why `pattern`, compiled from `text`, does not match the event in `values`: the first clause that
// fails, by its path, with what it wants and what is there. Texts of any length are cut short.
// Requires: it does not match, and both were made for the same paths.
std::string ExplainMismatch(const PatternObject& pattern, std::string_view text,
                            const EventValues& values);

}  // namespace relay

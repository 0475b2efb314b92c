#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "relay/json_object.h"

namespace relay {

// What providers write now as a number, now as a string, and under more than one name.

// The text of the first of `names` that is there as a number, as it is written, or as a string that
// is not empty; empty when none is. The view lives until `buffer` is used again.
std::string_view TextOf(const JsonObject& object, std::initializer_list<std::string_view> names,
                        std::string& buffer);

bool AllDigits(std::string_view text);

// A time in seconds or in milliseconds since 1970 as milliseconds: a number from 10^11 on is one in
// milliseconds (from 1973), as seconds it would be the year 5138. 0 for what is no whole number of
// at most 15 digits (until the year 33,658).
int64_t TimeMsOf(std::string_view digits);

}  // namespace relay

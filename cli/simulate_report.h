#pragma once

#include <string>

#include "cli/simulate_load.h"

namespace relay {

// What a run came to, for people and as one line of JSON.
std::string LoadTable(const LoadResult& result);
std::string LoadJson(const LoadResult& result, const std::string& run);

}  // namespace relay

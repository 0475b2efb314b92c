#pragma once

#include <string>
#include <vector>

namespace relay {

// What exec(3) takes, made before the fork: behind it nothing may allocate.

// The texts, which outlive it, and a null at the end.
std::vector<char*> PointersTo(std::vector<std::string>& texts);
// This process's environment with these ("NAME=value") in place of those of the same name.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& more);

}  // namespace relay

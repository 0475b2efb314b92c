#pragma once

#include <string_view>

namespace relay {

// The text of relay/scripts/<name>.lua, embedded by the build. Requires: the file is in the list of
// relay/CMakeLists.txt.
std::string_view ScriptText(std::string_view name);

}  // namespace relay

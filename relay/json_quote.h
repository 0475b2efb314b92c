#pragma once

#include <string>
#include <string_view>

namespace relay {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 go through as they are.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace relay

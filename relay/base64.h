#pragma once

#include <string>
#include <string_view>

namespace relay {

// Base64 with padding (RFC 4648, section 4).

void AppendBase64(std::string_view bytes, std::string& out);
// False, with `bytes` in any state, for what is not wholly such a text: no blanks, no line ends, no
// other alphabet, and at least one byte.
bool DecodeBase64(std::string_view text, std::string& bytes);

}  // namespace relay

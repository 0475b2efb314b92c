#pragma once

#include <string>
#include <string_view>

namespace relay {

// Bytes that a stranger chose, as one line that is safe to print: printable UTF-8 goes through, all
// else stands as \xNN, or \n, \r, \t and \\ where there is a letter for it. Control characters,
// terminal escapes, and the invisible characters that turn the direction of text round never reach
// the terminal. Reversible.
std::string EscapedText(std::string_view bytes);

}  // namespace relay

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace relay {

// Parses `arguments` (without the program's name), runs the command that they name, and returns the
// exit code. Errors of usage end with kExitUsage; for a misspelt command with a suggestion.
int RunCommandLine(std::span<const AddCommand> commands, std::vector<std::string> arguments,
                   std::vector<std::string> environment);

// The one of `candidates` that `word` was probably meant to be, or an empty string when none is
// close.
std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace relay

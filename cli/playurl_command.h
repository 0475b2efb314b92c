#pragma once

#include "cli/command.h"

namespace relay {

// relayctl playurl: where a stream is played or pushed, alone on a line; kExitCheckFailed for a
// code of another account. With --check whether an address was signed with the key. Talks to
// nobody.
void AddPlayUrlCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

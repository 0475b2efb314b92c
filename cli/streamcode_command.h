#pragma once

#include "cli/command.h"

namespace relay {

// relayctl streamcode: the code of a room's stream, alone on a line; or with --check whether a code
// is right (kExitOk or kExitCheckFailed, the reason on stderr); or with --parse what a code of the
// plain form is made of. Talks to nobody.
void AddStreamCodeCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

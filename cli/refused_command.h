#pragma once

#include "cli/command.h"

namespace relay {

// relayctl refused: the last callbacks that were refused, and why; a wrong key is the commonest
// first fault.
void AddRefusedCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

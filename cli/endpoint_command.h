#pragma once

#include "cli/command.h"

namespace relay {

// relayctl endpoint list | enable | pause | resume: the state that the run time keeps apart from
// the catalog. enable clears what a 410 has disabled.
void AddEndpointCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

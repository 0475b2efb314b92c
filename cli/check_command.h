#pragma once

#include "cli/command.h"

namespace relay {

// relayctl check: a line for each thing that must be right before events are entrusted to this
// installation, with what mends it. Changes nothing.
void AddCheckCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

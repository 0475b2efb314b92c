#pragma once

#include "cli/command.h"

namespace relay {

// relayctl unrouted list | redrive: authentic callbacks that belonged to no tenant when they came.
void AddUnroutedCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

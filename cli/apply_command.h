#pragma once

#include "cli/command.h"

namespace relay {

// relayctl apply FILE [--check | --diff]: makes a catalog file the catalog in Redis. Doing it twice
// is doing it once.
void AddApplyCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

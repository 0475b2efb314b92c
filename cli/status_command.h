#pragma once

#include "cli/command.h"

namespace relay {

// relayctl status: partitions, owners, workers, backlog, memory and catalog at a glance.
void AddStatusCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

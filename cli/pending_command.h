#pragma once

#include "cli/command.h"

namespace relay {

// relayctl pending list: what Redis still owes.
void AddPendingCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

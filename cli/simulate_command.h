#pragma once

#include "cli/command.h"

namespace relay {

// relayctl simulate KIND: sends callbacks as a provider would, and says how each was answered.
// Ends with kExitOk when every callback got the answer that it should get, else kExitCheckFailed.
void AddSimulateCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

#pragma once

#include "cli/command.h"

namespace relay {

// relayctl sink: a customer's server for demonstrations, load and fault tests. Runs until SIGINT
// (kExitInterrupted) or SIGTERM (kExitOk) and then sums up.
void AddSinkCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

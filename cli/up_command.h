#pragma once

#include "cli/command.h"

namespace relay {

// relayctl up: Redis, brokers, workers and sinks from one command, until Ctrl-C.
void AddUpCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

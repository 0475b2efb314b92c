#pragma once

#include "cli/command.h"

namespace relay {

// relayctl dlq list | show | redrive | purge: what is done about dead letters.
void AddDlqCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

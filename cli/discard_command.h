#pragma once

#include "cli/command.h"

namespace relay {

// `relayctl endpoint discard`: throws away what an endpoint has waiting, never its dead letters.
void AddDiscardCommand(CLI::App& endpoint, CommandContext& context);

}  // namespace relay

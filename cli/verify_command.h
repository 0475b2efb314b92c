#pragma once

#include "cli/command.h"

namespace relay {

// relayctl verify: holds the log of `simulate` against those of the sinks. Ends with
// kExitCheckFailed on loss, phantom or corruption, and on more duplicates than allowed.
void AddVerifyCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

#pragma once

#include "cli/command.h"

namespace relay {

// relayctl fsck: checks the invariants of every partition on a live system, each at one instant.
void AddFsckCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

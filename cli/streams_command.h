#pragma once

#include "cli/command.h"

namespace relay {

// relayctl streams [list] | register | unregister: what live streams there are by the callbacks
// that came, and whose they are where their codes were registered.
void AddStreamsCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

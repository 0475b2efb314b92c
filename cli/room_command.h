#pragma once

#include "cli/command.h"

namespace relay {

// relayctl streams register | unregister: tells the relay whose a stream code is.
void AddRoomCommands(CLI::App& streams, CommandContext& context);

}  // namespace relay

#pragma once

#include "cli/command.h"

namespace relay {

// relayctl events show | list: what happened to an event, and the newest attempts of a tenant.
void AddEventsCommand(CLI::App& app, CommandContext& context);

}  // namespace relay

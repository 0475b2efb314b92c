#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "cli/callback_maker.h"
#include "cli/command.h"
#include "relay/status.h"

namespace relay {

// Makes the maker of a run called `run`, out of the options of its kind. InvalidArgument says which
// of them do not fit together.
using MakeMaker = std::function<Result<std::unique_ptr<CallbackMaker>>(const std::string& run)>;

// One kind of provider that `relayctl simulate` can be.
struct SimulateKind {
  const char* name;
  const char* help;
  const char* footer;  // How this kind sends again, and an example.
  // Adds the kind's own options to its subcommand.
  MakeMaker (*add_options)(CLI::App* command);
};

// As many as relay/provider_names.h lists, in the same order.
std::span<const SimulateKind> SimulateKinds();

}  // namespace relay

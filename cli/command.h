#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "relay/exit_code.h"
#include "relay/status.h"

namespace relay {

// What a command gets besides its own options, and where it leaves the work to be done. Lives from
// before the parsing of the command line until the program ends.
struct CommandContext {
  // --config as given, for FindSettingsFile(); empty when it was not.
  std::string config_path;
  // "NAME=value" each, for LoadSettings().
  std::vector<std::string> environment;
  // Set by the command that the command line names. Called once after parsing; returns an ExitCode.
  // Results go to stdout, complaints and progress to stderr.
  std::function<int()> run;
};

// How a command enters relayctl: adds its subcommand to `app`, with a callback that sets
// `context.run`. One such function a command, listed in cli/main.cc:
//
//   void AddFsckCommand(CLI::App& app, CommandContext& context) {
//     auto options = std::make_shared<FsckOptions>();  // Shared with the closures that CLI11
//     keeps. CLI::App* command = app.add_subcommand("fsck", "Check what Redis holds, at any
//     instant"); command->add_flag("--json", options->json, "One JSON object instead of the
//     table"); command->callback([options, &context] {
//       context.run = [options, &context] { return RunFsck(*options, context); };
//     });
//   }
using AddCommand = void (*)(CLI::App& app, CommandContext& context);

// Prints "relayctl: <text>" on stderr and returns `code`, so that a command can end with it.
int Complain(ExitCode code, const std::string& text);
inline int Complain(ExitCode code, const Status& status) {
  return Complain(code, status.text());
}

}  // namespace relay

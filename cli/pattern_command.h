#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"
#include "relay/event_attributes.h"

namespace relay {

// relayctl pattern test: whether a pattern matches the event on stdin, and if not, by which clause.
// Ends with kExitCheckFailed when it does not match, with kExitUsage on a pattern or an event that
// cannot be read.
void AddPatternCommand(CLI::App& app, CommandContext& context);

// What that command answers.
struct PatternAnswer {
  ExitCode code = kExitOk;
  std::string text;  // For stdout on kExitOk and kExitCheckFailed, otherwise for stderr.
};
PatternAnswer TestPattern(std::string_view pattern, std::string_view event,
                          const EventAttributes& attributes);

}  // namespace relay

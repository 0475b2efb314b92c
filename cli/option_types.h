#pragma once

#include <string>

#include "cli/command.h"
#include "relay/clock.h"

namespace relay {

// Options of kinds that CLI11 does not know. Each refuses what it cannot read as an error of usage.

// "250ms", "15s", "10m", "2h".
CLI::Option* AddDurationOption(CLI::App* command, const std::string& name, Millis* target,
                               const std::string& help);
// A chance from 0 to 1.
CLI::Option* AddChanceOption(CLI::App* command, const std::string& name, double* target,
                             const std::string& help);

}  // namespace relay

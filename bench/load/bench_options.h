#pragma once

#include <string>

#include "tests/chaos/installation.h"

namespace relay {

// An installation as conf ships it, with a Redis that no measurement fills.
inline Installation::Options BenchOptions(const std::string& durability = "everysec") {
  Installation::Options options;
  options.durability = durability;
  options.maxmemory = "10gb";
  options.credit = 2000;
  return options;
}

// For Node.js, which is tuned so where throughput matters: with its default of 16 MiB for young
// objects, those of requests that wait grow old, and collecting them costs much more.
constexpr const char* kRoomToBeYoung = "--max-semi-space-size=32";

}  // namespace relay

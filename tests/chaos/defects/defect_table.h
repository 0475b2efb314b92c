#pragma once

#include <span>
#include <string_view>

namespace relay {

// The defects that can be planted in relay-broker-defective, relay-worker-defective and
// relayctl-defective, in the order of their numbers (from 1). Generated from defects.cmake.
struct PlantedDefect {
  int number;  // RELAY_DEFECT
  std::string_view name;
  std::string_view promise;  // What the product promises and the defect breaks.
  std::string_view shows;    // How that is seen from outside, and under which fault.
  int expected_scenario;     // Of the chaos harness: the one that must catch it.
};
std::span<const PlantedDefect> PlantedDefects();

// What a defect changes in relay/scripts/<script>.lua: `from`, which stands there once, becomes
// `to`.
struct ScriptPlant {
  int number;
  std::string_view script;
  std::string_view from;
  std::string_view to;
};
std::span<const ScriptPlant> ScriptPlants();

}  // namespace relay

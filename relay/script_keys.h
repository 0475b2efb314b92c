#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/redis_scripts.h"

namespace relay {

// What the builders of ScriptCalls share.

// What stands before a script's own text: nothing, or head.lua and the parts named.
enum class ScriptHead { kNone, kHead, kOwner, kOwnerUpkeep, kUpkeep };
// The script relay/scripts/<name>.lua behind its head.
RedisScript MakeScript(const std::string& name, ScriptHead head);

// A call of `script` with the ten keys; its first argument is the owner's token.
ScriptCall OwnerCall(const RedisScript& script, const PartitionKeys& keys, const OwnerToken& owner);

// The ten keys of a partition, in the order in which head.lua names them.
std::vector<std::string> TenKeys(const PartitionKeys& keys);

// Gives each endpoint of a call its place (from 1), its pair of keys and its argument.
class EndpointPlaces {
 public:
  size_t PlaceOf(uint64_t endpoint);
  // Appends `rz`, `dz` of each endpoint to call.keys; their number, then theirs, to call.args.
  void AppendTo(const PartitionKeys& keys, ScriptCall& call) const;

 private:
  std::vector<uint64_t> endpoints_;
  std::unordered_map<uint64_t, size_t> places_;
};

// The parts of AllScripts, each by the file that owns them.
std::vector<const RedisScript*> TransitionScripts();
std::vector<const RedisScript*> OwnershipScripts();
std::vector<const RedisScript*> EndpointScripts();
std::vector<const RedisScript*> UpkeepScripts();
std::vector<const RedisScript*> DeadLetterScripts();
std::vector<const RedisScript*> CatalogScripts();
std::vector<const RedisScript*> LaneScripts();
std::vector<const RedisScript*> StreamScripts();

// A delay as an argument: not below zero, not above what scripts take (46 days).
std::string DelayArg(Millis delay);

}  // namespace relay

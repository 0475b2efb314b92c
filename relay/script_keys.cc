#include "relay/script_keys.h"

#include <algorithm>

#include "relay/script_texts.h"

namespace relay {

RedisScript MakeScript(const std::string& name, ScriptHead head) {
  std::string text;
  if (head != ScriptHead::kNone) text.append(ScriptText("head"));
  if (head == ScriptHead::kOwner || head == ScriptHead::kOwnerUpkeep) {
    text.append(ScriptText("owner_head"));
  }
  if (head == ScriptHead::kUpkeep || head == ScriptHead::kOwnerUpkeep) {
    text.append(ScriptText("upkeep_head"));
  }
  return RedisScript::Make(name, text.append(ScriptText(name)));
}

std::vector<std::string> TenKeys(const PartitionKeys& keys) {
  return {keys.own,  keys.normal,   keys.bulk,    keys.ref,     keys.due,
          keys.hold, keys.counters, keys.history, keys.tenants, keys.owing};
}

ScriptCall OwnerCall(const RedisScript& script, const PartitionKeys& keys,
                     const OwnerToken& owner) {
  return {&script, TenKeys(keys), {owner.text()}};
}

size_t EndpointPlaces::PlaceOf(uint64_t endpoint) {
  const auto [it, added] = places_.try_emplace(endpoint, endpoints_.size() + 1);
  if (added) endpoints_.push_back(endpoint);
  return it->second;
}

void EndpointPlaces::AppendTo(const PartitionKeys& keys, ScriptCall& call) const {
  call.args.push_back(std::to_string(endpoints_.size()));
  for (const uint64_t endpoint : endpoints_) {
    call.keys.push_back(keys.Retries(endpoint));
    call.keys.push_back(keys.DeadLetters(endpoint));
    call.args.push_back(std::to_string(endpoint));
  }
}

std::string DelayArg(Millis delay) {
  return std::to_string(std::clamp<int64_t>(delay.count(), 0, 4'000'000'000));
}

}  // namespace relay

// The part of redis_upkeep.h that is done to whole endpoints.

#include "relay/check.h"
#include "relay/redis_upkeep.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

const RedisScript& RedriveScript() {
  static const RedisScript kScript = MakeScript("redrive", ScriptHead::kOwner);
  return kScript;
}
const RedisScript& PurgeScript() {
  static const RedisScript kScript = MakeScript("purge", ScriptHead::kOwner);
  return kScript;
}
const RedisScript& HoldScript() {
  static const RedisScript kScript = MakeScript("hold", ScriptHead::kOwner);
  return kScript;
}

// A call about one endpoint: its pair of keys, its number after the token.
ScriptCall EndpointCall(const RedisScript& script, const PartitionKeys& keys,
                        const OwnerToken& owner, uint64_t endpoint) {
  ScriptCall call = OwnerCall(script, keys, owner);
  call.keys.push_back(keys.Retries(endpoint));
  call.keys.push_back(keys.DeadLetters(endpoint));
  call.args.push_back(std::to_string(endpoint));
  return call;
}

std::string_view ScopeWord(PurgeScope scope) {
  switch (scope) {
    case PurgeScope::kDeadLetters:
      return "dead";
    case PurgeScope::kRetries:
      return "waiting";
    case PurgeScope::kDeadLettersAndRetries:
      return "both";
  }
  return "";
}

void AppendMembers(std::span<const Member> members, ScriptCall& call) {
  call.args.emplace_back("members");
  for (const Member& member : members) call.args.push_back(member.text());
}

}  // namespace

ScriptCall RedriveRange(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                        int64_t from_ms, int64_t to_ms, int count) {
  RELAY_CHECK(count > 0 && count <= kRedriveMax);
  ScriptCall call = EndpointCall(RedriveScript(), keys, owner, endpoint);
  call.args.insert(call.args.end(), {"range", std::to_string(from_ms), std::to_string(to_ms),
                                     std::to_string(count)});
  return call;
}

ScriptCall RedriveMembers(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                          std::span<const Member> members) {
  RELAY_CHECK(!members.empty() && members.size() <= kRedriveMax);
  ScriptCall call = EndpointCall(RedriveScript(), keys, owner, endpoint);
  AppendMembers(members, call);
  return call;
}

Result<int64_t> ParseRedrive(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 2, "redrive"); !status.ok()) return status;
  return NumberOf(reply.items[1], "redrive");
}

ScriptCall Purge(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                 const std::string& tenant, PurgeScope scope, int count) {
  RELAY_CHECK(count > 0 && count <= kPurgeMax);
  ScriptCall call = EndpointCall(PurgeScript(), keys, owner, endpoint);
  call.args.push_back(tenant);
  call.args.emplace_back(ScopeWord(scope));
  call.args.push_back(std::to_string(count));
  return call;
}

ScriptCall PurgeMembers(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                        const std::string& tenant, std::span<const Member> members) {
  RELAY_CHECK(!members.empty() && members.size() <= kPurgeMax);
  ScriptCall call = EndpointCall(PurgeScript(), keys, owner, endpoint);
  call.args.push_back(tenant);
  AppendMembers(members, call);
  return call;
}

Result<PurgeReply> ParsePurge(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 3, "purge"); !status.ok()) return status;
  if (!reply.items[1].is_array()) return Unexpected(reply, "purge");
  PurgeReply purge;
  for (const RedisValue& item : reply.items[1].items) {
    Result<Member> member = Member::Parse(item.text);
    if (!member.ok()) return member.status();
    purge.dropped.push_back(std::move(*member));
  }
  purge.more = reply.items[2].integer == 1;
  return purge;
}

ScriptCall Hold(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint) {
  ScriptCall call = EndpointCall(HoldScript(), keys, owner, endpoint);
  call.args.emplace_back("hold");
  return call;
}

ScriptCall Release(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint) {
  ScriptCall call = EndpointCall(HoldScript(), keys, owner, endpoint);
  call.args.emplace_back("release");
  return call;
}

Result<bool> ParseHold(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 2, "hold"); !status.ok()) return status;
  return reply.items[1].integer == 1;
}

std::vector<const RedisScript*> EndpointScripts() {
  return {&RedriveScript(), &PurgeScript(), &HoldScript()};
}

std::vector<const RedisScript*> AllScripts() {
  std::vector<const RedisScript*> all;
  for (const auto& part :
       {TransitionScripts(), OwnershipScripts(), EndpointScripts(), UpkeepScripts(),
        DeadLetterScripts(), CatalogScripts(), LaneScripts(), StreamScripts()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace relay

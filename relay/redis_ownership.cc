#include "relay/redis_ownership.h"

#include <charconv>

#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

const RedisScript& OwnScript() {
  static const RedisScript kScript = MakeScript("own", ScriptHead::kNone);
  return kScript;
}
const RedisScript& HeartbeatScript() {
  static const RedisScript kScript = MakeScript("heartbeat", ScriptHead::kNone);
  return kScript;
}

ScriptCall Own(const PartitionKeys& keys, std::string op, const OwnerToken& owner, Millis lease) {
  return {&OwnScript(),
          {keys.own},
          {std::move(op), owner.boot, std::to_string(owner.epoch), std::to_string(lease.count())}};
}

}  // namespace

ScriptCall TakeOwnership(const PartitionKeys& keys, const std::string& boot, Millis lease) {
  return Own(keys, "take", {0, boot}, lease);
}

ScriptCall RenewOwnership(const PartitionKeys& keys, const OwnerToken& owner, Millis lease) {
  return Own(keys, "renew", owner, lease);
}

ScriptCall GiveBackOwnership(const PartitionKeys& keys, const OwnerToken& owner) {
  return Own(keys, "give", owner, Millis(1));
}

Result<OwnReply> ParseOwn(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 3, "own"); !status.ok()) return status;
  for (const RedisValue& item : reply.items) {
    if (!item.is_integer()) return Unexpected(reply, "own");
  }
  return OwnReply{reply.items[0].integer == 1, static_cast<uint64_t>(reply.items[1].integer),
                  Millis(reply.items[2].integer)};
}

RedisCommand ReadOwner(const PartitionKeys& keys) {
  return RedisCommand("GET").Arg(keys.own);
}

Result<std::optional<OwnerRecord>> ParseOwner(const RedisValue& reply) {
  if (reply.is_nil()) return std::optional<OwnerRecord>();
  if (!reply.is_text()) return Unexpected(reply, "own");
  const std::string_view text = reply.text;
  const size_t first = text.find(' ');
  const size_t last = text.rfind(' ');
  OwnerRecord record;
  if (first == std::string_view::npos || last <= first + 1) return Unexpected(reply, "own");
  const auto epoch = std::from_chars(text.data(), text.data() + first, record.token.epoch);
  const auto deadline =
      std::from_chars(text.data() + last + 1, text.data() + text.size(), record.deadline_ms);
  if (epoch.ptr != text.data() + first || deadline.ptr != text.data() + text.size() ||
      deadline.ec != std::errc() || epoch.ec != std::errc()) {
    return Unexpected(reply, "own");
  }
  record.token.boot = text.substr(first + 1, last - first - 1);
  return std::optional<OwnerRecord>(std::move(record));
}

ScriptCall Heartbeat(const std::string& member, Millis silence) {
  return {&HeartbeatScript(),
          {std::string(kWorkersKey)},
          {"live", member, std::to_string(silence.count())}};
}

ScriptCall Farewell(const std::string& member, Millis silence) {
  return {&HeartbeatScript(),
          {std::string(kWorkersKey)},
          {"leave", member, std::to_string(silence.count())}};
}

Result<std::vector<std::string>> ParseHeartbeat(const RedisValue& reply) {
  return TextsOf(reply, "heartbeat");
}

std::vector<const RedisScript*> OwnershipScripts() {
  return {&OwnScript(), &HeartbeatScript()};
}

}  // namespace relay

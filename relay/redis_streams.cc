#include "relay/redis_streams.h"

#include <algorithm>

#include "relay/check.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

const RedisScript& StreamsScript() {
  static const RedisScript kScript = MakeScript("streams", ScriptHead::kOwner);
  return kScript;
}
const RedisScript& RoomScript() {
  static const RedisScript kScript = MakeScript("room", ScriptHead::kNone);
  return kScript;
}

std::string_view Letter(StreamWrite::Kind kind) {
  switch (kind) {
    case StreamWrite::Kind::kState:
      return "s";
    case StreamWrite::Kind::kRecording:
      return "r";
    case StreamWrite::Kind::kScreenshot:
      return "c";
  }
  return "";
}

ScriptCall RoomCall(const PartitionKeys& keys, std::string op) {
  return {&RoomScript(),
          {keys.rooms, keys.room_expiry, keys.room_version},
          {std::move(op), std::to_string(kRoomsMax)}};
}

}  // namespace

ScriptCall WriteStreams(const PartitionKeys& keys, const OwnerToken& owner,
                        std::span<const StreamWrite> writes) {
  RELAY_CHECK(writes.size() <= kStreamWritesMax);
  ScriptCall call = OwnerCall(StreamsScript(), keys, owner);
  call.keys.insert(call.keys.end(), {keys.streams, keys.stream_media, keys.stream_age});
  call.args.push_back(std::to_string(kStreamsMax));
  call.args.push_back(std::to_string(kStreamAgeMax.count()));
  for (const StreamWrite& write : writes) {
    call.args.emplace_back(Letter(write.kind));
    call.args.push_back(write.key);
    call.args.push_back(std::to_string(std::max<int64_t>(write.heard_ms, 0)));
    call.args.push_back(write.value);
  }
  return call;
}

Result<std::vector<std::string>> ParseWriteStreams(const RedisValue& reply) {
  return TextsOf(reply, "streams");
}

RedisCommand ReadStreams(const PartitionKeys& keys) {
  return RedisCommand("HGETALL").Arg(keys.streams);
}

RedisCommand ReadStreamMedia(const PartitionKeys& keys) {
  return RedisCommand("HGETALL").Arg(keys.stream_media);
}

std::string StreamMediaField(StreamWrite::Kind kind, std::string_view stream_key) {
  return std::string(Letter(kind)).append(stream_key);
}

ScriptCall RegisterRooms(const PartitionKeys& keys, std::span<const RoomRegistration> rooms) {
  RELAY_CHECK(!rooms.empty() && rooms.size() <= kRoomChangesMax);
  ScriptCall call = RoomCall(keys, "set");
  for (const RoomRegistration& registration : rooms) {
    call.args.push_back(registration.key);
    call.args.push_back(DelayArg(registration.ttl));
    call.args.push_back(EncodeRoom(registration.room));
  }
  return call;
}

ScriptCall DropRooms(const PartitionKeys& keys, std::span<const std::string> room_keys) {
  RELAY_CHECK(!room_keys.empty() && room_keys.size() <= kRoomChangesMax);
  ScriptCall call = RoomCall(keys, "drop");
  call.args.insert(call.args.end(), room_keys.begin(), room_keys.end());
  return call;
}

ScriptCall TrimRooms(const PartitionKeys& keys) {
  return RoomCall(keys, "trim");
}

Result<RoomsReply> ParseRooms(const RedisValue& reply) {
  if (reply.is_error("FULL")) return Status::Conflict(reply.text);
  if (Status status = ExpectArray(reply, 2, "room"); !status.ok()) return status;
  const Result<int64_t> rooms = NumberOf(reply.items[0], "room");
  const Result<int64_t> changed = NumberOf(reply.items[1], "room");
  if (!rooms.ok()) return rooms.status();
  if (!changed.ok()) return changed.status();
  return RoomsReply{*rooms, *changed};
}

RedisCommand ReadRooms(const PartitionKeys& keys) {
  return RedisCommand("HGETALL").Arg(keys.rooms);
}

RedisCommand ReadRoomVersion(const PartitionKeys& keys) {
  return RedisCommand("GET").Arg(keys.room_version);
}

Result<int64_t> ParseRoomVersion(const RedisValue& reply) {
  if (reply.is_nil()) return int64_t{0};
  return NumberOf(reply, "room version");
}

Result<std::vector<std::pair<std::string, std::string>>> ParseHash(RedisValue&& reply) {
  if (reply.is_error()) return StatusOfError(reply);
  if (!reply.is_array() || reply.items.size() % 2 != 0) return Unexpected(reply, "hash");
  std::vector<std::pair<std::string, std::string>> fields;
  fields.reserve(reply.items.size() / 2);
  for (size_t i = 0; i < reply.items.size(); i += 2) {
    if (!reply.items[i].is_text() || !reply.items[i + 1].is_text()) {
      return Unexpected(reply, "hash");
    }
    fields.emplace_back(std::move(reply.items[i].text), std::move(reply.items[i + 1].text));
  }
  return fields;
}

std::vector<const RedisScript*> StreamScripts() {
  return {&StreamsScript(), &RoomScript()};
}

}  // namespace relay

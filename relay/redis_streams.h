#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/redis_scripts.h"
#include "relay/registered_room.h"

namespace relay {

// What a partition keeps of live streams beside the work (relay/stream_state.h,
// relay/registered_room.h). The error codes of redis_scripts.h hold here as well. Losing any of
// this loses no event.

// ---- The state of streams: the partition's owner writes it.

constexpr size_t kStreamWritesMax = 200;  // A call.
// Streams that a partition remembers: its owner holds them in memory, about 300 bytes each.
constexpr int kStreamsMax = 10'000;
// A provider gives up a late stop within minutes; a delivery of ours may be redriven days later.
constexpr Millis kStreamAgeMax{7 * 24 * 3'600'000};

struct StreamWrite {
  enum class Kind { kState, kRecording, kScreenshot };
  Kind kind = Kind::kState;
  std::string key;       // StreamKey()
  int64_t heard_ms = 0;  // When the event was stored, by Redis's clock.
  std::string value;     // EncodeStreamState() or EncodeStreamMedia()
};
// Requires: at most kStreamWritesMax. Of recordings and screenshots the latest one stays.
ScriptCall WriteStreams(const PartitionKeys& keys, const OwnerToken& owner,
                        std::span<const StreamWrite> writes);
// The keys of streams that were forgotten for their age or their number.
Result<std::vector<std::string>> ParseWriteStreams(const RedisValue& reply);

// All states of a partition, or all recordings and screenshots.
RedisCommand ReadStreams(const PartitionKeys& keys);
RedisCommand ReadStreamMedia(const PartitionKeys& keys);
// The field of a recording (kRecording) or screenshot among them.
std::string StreamMediaField(StreamWrite::Kind kind, std::string_view stream_key);

// ---- Registered rooms: written by `relayctl`, under nobody's token.

constexpr size_t kRoomChangesMax = 200;  // A call.

struct RoomRegistration {
  std::string key;  // RoomKey()
  RegisteredRoom room;
  Millis ttl{0};
};
// Requires: at most kRoomChangesMax. kConflict, which says how many there are, when the partition
// has no place for all of them: then none is registered.
ScriptCall RegisterRooms(const PartitionKeys& keys, std::span<const RoomRegistration> rooms);
ScriptCall DropRooms(const PartitionKeys& keys, std::span<const std::string> room_keys);
// Forgets what has expired, as the other two do in passing.
ScriptCall TrimRooms(const PartitionKeys& keys);
struct RoomsReply {
  int64_t rooms = 0;    // Registered in the partition now.
  int64_t changed = 0;  // By this call.
};
Result<RoomsReply> ParseRooms(const RedisValue& reply);

RedisCommand ReadRooms(const PartitionKeys& keys);
// A number that grows with each change.
RedisCommand ReadRoomVersion(const PartitionKeys& keys);
Result<int64_t> ParseRoomVersion(const RedisValue& reply);

// Names and values of a whole hash, moved out of a reply.
Result<std::vector<std::pair<std::string, std::string>>> ParseHash(RedisValue&& reply);

}  // namespace relay

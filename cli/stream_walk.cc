#include "cli/stream_walk.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "relay/redis_streams.h"

namespace relay {
namespace {

using Hash = std::vector<std::pair<std::string, std::string>>;

struct PartitionStreams {
  Hash states;
  std::map<std::string, std::string> media;
  std::map<std::string, std::string> rooms;
};

Result<PartitionStreams> ReadPartition(RedisSession& session, const PartitionKeys& keys) {
  const RedisCommand commands[] = {ReadStreams(keys), ReadStreamMedia(keys), ReadRooms(keys)};
  Result<std::vector<RedisValue>> replies = session.AskAll(commands);
  if (!replies.ok()) return replies.status();
  Hash hashes[3];
  for (size_t i = 0; i < 3; ++i) {
    Result<Hash> hash = ParseHash(std::move((*replies)[i]));
    if (!hash.ok()) return hash.status();
    hashes[i] = std::move(*hash);
  }
  const auto map_of = [](Hash& hash) {
    return std::map<std::string, std::string>(std::make_move_iterator(hash.begin()),
                                              std::make_move_iterator(hash.end()));
  };
  return PartitionStreams{std::move(hashes[0]), map_of(hashes[1]), map_of(hashes[2])};
}

std::optional<StreamMedia> MediaOf(const PartitionStreams& partition, StreamWrite::Kind kind,
                                   const std::string& key) {
  const auto found = partition.media.find(StreamMediaField(kind, key));
  if (found == partition.media.end()) return std::nullopt;
  Result<StreamMedia> media = DecodeStreamMedia(found->second);
  return media.ok() ? std::optional(std::move(*media)) : std::nullopt;
}

std::optional<RegisteredRoom> RoomOf(const PartitionStreams& partition, const StreamName& name,
                                     int64_t now_ms) {
  const auto found = partition.rooms.find(RoomKey(name.tenant, name.stream));
  if (found == partition.rooms.end()) return std::nullopt;
  Result<RegisteredRoom> room = DecodeRoom(found->second);
  if (!room.ok() || room->expires_ms <= now_ms) return std::nullopt;
  return std::move(*room);
}

bool Wanted(const StreamFilter& filter, const StreamName& name, const StreamState& state) {
  return (filter.ended || state.live) && (filter.tenant.empty() || filter.tenant == name.tenant) &&
         name.stream.starts_with(filter.stream_prefix);
}

}  // namespace

Result<std::vector<KnownStream>> FindStreams(RedisSession& session, const StreamFilter& filter) {
  const int64_t now_ms = MillisSinceEpoch(session.loop().clock().WallNow());
  std::vector<KnownStream> found;
  for (const PartitionKeys& keys : session.partitions()) {
    const Result<PartitionStreams> partition = ReadPartition(session, keys);
    if (!partition.ok()) return partition.status();
    for (const auto& [key, text] : partition->states) {
      Result<StreamName> name = ParseStreamKey(key);
      Result<StreamState> state = DecodeStreamState(text);
      if (!name.ok() || !state.ok() || !Wanted(filter, *name, *state)) continue;
      KnownStream stream;
      stream.recording = MediaOf(*partition, StreamWrite::Kind::kRecording, key);
      stream.screenshot = MediaOf(*partition, StreamWrite::Kind::kScreenshot, key);
      stream.room = RoomOf(*partition, *name, now_ms);
      stream.name = std::move(*name);
      stream.state = std::move(*state);
      found.push_back(std::move(stream));
    }
  }
  std::sort(found.begin(), found.end(), [](const KnownStream& a, const KnownStream& b) {
    const auto order = [](const StreamName& name) {
      return std::tie(name.tenant, name.domain, name.path, name.stream);
    };
    return order(a.name) < order(b.name);
  });
  return found;
}

}  // namespace relay

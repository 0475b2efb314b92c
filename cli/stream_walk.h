#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/redis_session.h"
#include "relay/registered_room.h"
#include "relay/status.h"
#include "relay/stream_state.h"

namespace relay {

// One stream as its partition has it.
struct KnownStream {
  StreamName name;
  StreamState state;
  std::optional<StreamMedia> recording;
  std::optional<StreamMedia> screenshot;
  std::optional<RegisteredRoom> room;
};

struct StreamFilter {
  std::string tenant;         // Empty: of all.
  std::string stream_prefix;  // Of the stream's name.
  bool ended = false;         // Those that are not live as well.
};

// By tenant, domain, path and stream. What cannot be decoded is passed over: it is of another
// version, and the next event of its stream writes it anew.
Result<std::vector<KnownStream>> FindStreams(RedisSession& session, const StreamFilter& filter);

}  // namespace relay

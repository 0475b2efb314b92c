#pragma once

#include "relay/event.h"
#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"
#include "relay/tenant_router.h"

namespace relay {

// An authentic callback that belonged to no tenant when it came: kept as it would have been stored,
// with what a router needs to find its tenant later.
struct UnroutedEvent {
  Event event;  // Without tenant.
  RouteAttributes attributes;

  bool operator==(const UnroutedEvent&) const = default;
};

// About as many are kept; the oldest go first.
constexpr int64_t kUnroutedMax = 10000;

// XADD to the stream of unrouted events. The reply is the stream id.
RedisCommand KeepUnrouted(const Event& event, const RouteAttributes& attributes);
// From the flat list of names and values of an entry of that stream.
Result<UnroutedEvent> DecodeUnrouted(const RedisValue& fields);

}  // namespace relay

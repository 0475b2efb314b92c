#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "relay/catalog.h"
#include "relay/redis_scripts.h"

namespace relay {

// How workers share out what an endpoint may be sent: permits for requests at the same time, tokens
// for its rate, and one breaker for all (relay/scripts/lane.lua). The rule and the error codes of
// redis_scripts.h hold here as well.

// So many keep a call far below 5 ms of Redis.
constexpr size_t kLanesPerCall = 25;

// What a worker asks and tells about one lane.
struct LaneAsk {
  uint64_t endpoint = 0;
  int cap = 1;
  EndpointRate rate;
  EndpointBreaker breaker;
  int want = 0;    // Permits wanted in all.
  int keep = 0;    // Permits that the worker will not exceed before it has the answer.
  int tokens = 0;  // Wanted.
  int backlog_tokens = 0;
  int ok = 0;           // Attempts that ended well since the last telling,
  int failed = 0;       // those that did not,
  int failed_last = 0;  // and of these the ones after the last that ended well.
  bool probe = false;   // There is a delivery at hand to probe with.
};

// What it may do.
struct LaneShare {
  int permits = 0;
  int come_down_to = 0;  // Others want some: use no more than this as soon as may be.
  int tokens = 0;
  Millis tokens_in{0};  // When there are more; 0: all that were wanted have been given.
  int backlog_tokens = 0;
  Millis backlog_tokens_in{0};
  bool open = false;             // The breaker is.
  bool probe = false;            // Though it is open, this worker may make one attempt.
  Millis probe_in{0};            // When somebody may probe.
  bool slow = false;             // The cap is still growing back.
  int64_t failing_since_ms = 0;  // Nothing has ended well since then; 0: all is well.
};

struct LanesReply {
  int64_t now_ms = 0;
  std::vector<LaneShare> shares;  // In the order of the asks.
};

// Asks for up to kLanesPerCall lanes. Permits are held for `lease`: a worker that has not heard for
// so long must have no request in flight.
ScriptCall AskForLanes(const std::string& boot, Millis lease, std::span<const LaneAsk> asks);
Result<LanesReply> ParseLanes(const RedisValue& reply, size_t asked);

}  // namespace relay

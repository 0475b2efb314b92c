#pragma once

#include <cstdint>
#include <map>

#include "cli/redis_session.h"

namespace relay {

// What an endpoint owes, over all partitions.
struct EndpointBacklog {
  int64_t retries = 0;
  int64_t held = 0;  // Those of `retries` that rest until the endpoint is resumed.
  int64_t dead = 0;
};

// Of each endpoint that owes anything, by its number.
Result<std::map<uint64_t, EndpointBacklog>> BacklogOf(RedisSession& session);

}  // namespace relay

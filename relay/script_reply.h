#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/redis_value.h"
#include "relay/status.h"

namespace relay {

// Reading replies of Redis whose shape is known. What a reply has that it should not have is a
// kInternal status naming the reply; an error of Redis comes as StatusOfError says.

// The status behind a reply: why there is none, or the error that Redis answered.
Status StatusOfReply(const Result<RedisValue>& reply);
// OK when `reply` is an array of at least `items_min` items.
Status ExpectArray(const RedisValue& reply, size_t items_min, std::string_view what);
Status Unexpected(const RedisValue& reply, std::string_view what);
// An integer, or text of digits only (what scripts return for numbers over 2^53 or as scores).
Result<int64_t> NumberOf(const RedisValue& value, std::string_view what);
// The same where a number may be absent, which is `absent`.
uint64_t NumberOr(const RedisValue& value, uint64_t absent);
Result<std::vector<std::string>> TextsOf(const RedisValue& value, std::string_view what);

}  // namespace relay

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

// OK when `reply` is an array of at least `items_min` items.
Status ExpectArray(const RedisValue& reply, size_t items_min, std::string_view what);
Status Unexpected(const RedisValue& reply, std::string_view what);
// An integer, or text of digits only (what scripts return for numbers over 2^53 or as scores).
Result<int64_t> NumberOf(const RedisValue& value, std::string_view what);
Result<std::vector<std::string>> TextsOf(const RedisValue& value, std::string_view what);

}  // namespace relay

#include "relay/script_reply.h"

#include <charconv>

#include "relay/redis_scripts.h"

namespace relay {

Status Unexpected(const RedisValue& reply, std::string_view what) {
  if (reply.is_error()) return StatusOfError(reply);
  return Status::Internal(std::string(what) + ": unexpected reply " + DebugString(reply));
}

Status StatusOfReply(const Result<RedisValue>& reply) {
  if (!reply.ok()) return reply.status();
  return reply->is_error() ? StatusOfError(*reply) : Status::Ok();
}

Status ExpectArray(const RedisValue& reply, size_t items_min, std::string_view what) {
  if (reply.is_array() && reply.items.size() >= items_min) return Status::Ok();
  return Unexpected(reply, what);
}

Result<int64_t> NumberOf(const RedisValue& value, std::string_view what) {
  if (value.is_integer()) return value.integer;
  int64_t number = 0;
  const char* end = value.text.data() + value.text.size();
  if (value.is_text() && !value.text.empty()) {
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error == std::errc() && stop == end) return number;
  }
  return Unexpected(value, what);
}

uint64_t NumberOr(const RedisValue& value, uint64_t absent) {
  const Result<int64_t> number = NumberOf(value, "number");
  return number.ok() ? static_cast<uint64_t>(*number) : absent;
}

Result<std::vector<std::string>> TextsOf(const RedisValue& value, std::string_view what) {
  if (!value.is_array()) return Unexpected(value, what);
  std::vector<std::string> texts;
  texts.reserve(value.items.size());
  for (const RedisValue& item : value.items) {
    if (!item.is_text()) return Unexpected(item, what);
    texts.push_back(item.text);
  }
  return texts;
}

}  // namespace relay

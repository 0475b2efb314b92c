#include "relay/redis_value.h"

#include <utility>

namespace relay {

RedisValue RedisValue::Integer(int64_t value) {
  RedisValue out;
  out.type = Type::kInteger;
  out.integer = value;
  return out;
}

RedisValue RedisValue::Text(std::string_view value) {
  RedisValue out;
  out.type = Type::kText;
  out.text = value;
  return out;
}

RedisValue RedisValue::StatusReply(std::string_view value) {
  RedisValue out;
  out.type = Type::kStatus;
  out.text = value;
  return out;
}

RedisValue RedisValue::Error(std::string_view value) {
  RedisValue out;
  out.type = Type::kError;
  out.text = value;
  return out;
}

RedisValue RedisValue::Array(std::vector<RedisValue> values) {
  RedisValue out;
  out.type = Type::kArray;
  out.items = std::move(values);
  return out;
}

bool RedisValue::is_error(std::string_view prefix) const {
  return is_error() && text.starts_with(prefix) &&
         (text.size() == prefix.size() || text[prefix.size()] == ' ');
}

std::string DebugString(const RedisValue& value) {
  static constexpr size_t kCharactersMax = 200;
  std::string out;
  switch (value.type) {
    case RedisValue::Type::kNil:
      out = "(nil)";
      break;
    case RedisValue::Type::kInteger:
      out = std::to_string(value.integer);
      break;
    case RedisValue::Type::kText:
    case RedisValue::Type::kStatus:
    case RedisValue::Type::kError:
      for (char c : std::string_view(value.text).substr(0, kCharactersMax)) {
        out.push_back(c >= ' ' && c < 0x7f ? c : '.');
      }
      break;
    case RedisValue::Type::kArray:
      out = "[";
      for (const RedisValue& item : value.items) {
        if (out.size() > kCharactersMax) break;
        if (out.size() > 1) out += ", ";
        out += DebugString(item);
      }
      out += "]";
      break;
  }
  if (out.size() > kCharactersMax) out.resize(kCharactersMax);
  return out;
}

}  // namespace relay

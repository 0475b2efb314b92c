#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay {

// One reply of Redis (RESP2) as a value: owned, comparable, and buildable by a test.
struct RedisValue {
  enum class Type { kNil, kInteger, kText, kStatus, kError, kArray };

  Type type = Type::kNil;
  int64_t integer = 0;  // kInteger
  std::string text;     // kText, kStatus, kError (with its prefix, e.g. "OOM command ...")
  std::vector<RedisValue> items;  // kArray

  static RedisValue Nil() { return {}; }
  static RedisValue Integer(int64_t value);
  static RedisValue Text(std::string_view value);
  static RedisValue StatusReply(std::string_view value);
  static RedisValue Error(std::string_view value);
  static RedisValue Array(std::vector<RedisValue> values);

  bool is_nil() const { return type == Type::kNil; }
  bool is_integer() const { return type == Type::kInteger; }
  bool is_text() const { return type == Type::kText || type == Type::kStatus; }
  bool is_error() const { return type == Type::kError; }
  bool is_array() const { return type == Type::kArray; }
  // True for an error whose first word is `prefix`.
  bool is_error(std::string_view prefix) const;

  bool operator==(const RedisValue&) const = default;
};

// For messages: at most 200 characters of the reply, printable.
std::string DebugString(const RedisValue& value);

}  // namespace relay

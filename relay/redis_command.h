#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relay {

// One command on its way to Redis: its arguments in RESP encoding, ready to be appended to a
// connection's buffer. Arguments are binary-safe; nothing is ever formatted from user data.
class RedisCommand {
 public:
  explicit RedisCommand(std::string_view verb) { Arg(verb); }
  // Begins another command in the memory of this one.
  RedisCommand& Restart(std::string_view verb) {
    count_ = 0;
    body_.clear();
    return Arg(verb);
  }

  RedisCommand& Arg(std::string_view value) &;
  RedisCommand& Arg(int64_t value) &;
  // One argument that consists of these, end to end.
  RedisCommand& ArgOf(std::span<const std::string_view> parts) &;
  RedisCommand&& Arg(std::string_view value) && { return std::move(Arg(value)); }
  RedisCommand&& Arg(int64_t value) && { return std::move(Arg(value)); }

  int count() const { return count_; }
  // "*<count>\r\n", to be sent before body().
  std::string Head() const;
  const std::string& body() const { return body_; }

  // The arguments back, for fakes, tests and messages.
  std::vector<std::string> Args() const;

 private:
  int count_ = 0;
  std::string body_;
};

}  // namespace relay

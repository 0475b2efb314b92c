#include "relay/redis_command.h"

#include <charconv>

#include "relay/check.h"

namespace relay {

RedisCommand& RedisCommand::Arg(std::string_view value) & {
  return ArgOf(std::span(&value, 1));
}

RedisCommand& RedisCommand::ArgOf(std::span<const std::string_view> parts) & {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  char head[24];
  head[0] = '$';
  auto end = std::to_chars(head + 1, head + sizeof(head) - 2, size).ptr;
  *end++ = '\r';
  *end++ = '\n';
  body_.append(head, end - head);
  for (const std::string_view part : parts) body_.append(part);
  body_.append("\r\n");
  ++count_;
  return *this;
}

RedisCommand& RedisCommand::Arg(int64_t value) & {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  return Arg(std::string_view(digits, end - digits));
}

std::string RedisCommand::Head() const {
  return "*" + std::to_string(count_) + "\r\n";
}

std::vector<std::string> RedisCommand::Args() const {
  std::vector<std::string> out;
  std::string_view rest = body_;
  while (!rest.empty()) {
    RELAY_CHECK(rest.front() == '$');
    size_t size = 0;
    auto end = std::from_chars(rest.data() + 1, rest.data() + rest.size(), size).ptr;
    rest.remove_prefix(end + 2 - rest.data());
    out.emplace_back(rest.substr(0, size));
    rest.remove_prefix(size + 2);
  }
  return out;
}

}  // namespace relay

#include "relay/redis_options.h"

#include <fstream>
#include <string_view>
#include <utility>

namespace relay {

namespace {

constexpr std::string_view kPlainUrl = "redis://";
constexpr std::string_view kTlsUrl = "rediss://";

Result<SocketAddress> AddressOf(std::string_view node) {
  for (const std::string_view url : {kPlainUrl, kTlsUrl}) {
    if (node.starts_with(url)) return SocketAddress::Parse(node.substr(url.size()));
  }
  return SocketAddress::Parse(node);
}

// The first line of the file: an editor's newline at the end is no part of a password.
Result<std::string> ReadPassword(const std::string& path) {
  std::ifstream file(path);
  std::string password;
  if (!std::getline(file, password) || password.empty()) {
    return Status::InvalidArgument("redis.password_file: cannot read a password from " + path);
  }
  return password;
}

}  // namespace

Result<RedisConnectionOptions> MakeRedisOptions(const Settings::Redis& settings, std::string name) {
  if (settings.nodes.size() != 1) {
    return Status::InvalidArgument("redis.nodes: this version works with exactly one node, not " +
                                   std::to_string(settings.nodes.size()));
  }
  const std::string& node = settings.nodes.front();
  const bool tls = node.starts_with(kTlsUrl);
  if (tls != !settings.tls_ca.empty()) {
    return Status::InvalidArgument("redis.tls_ca: belongs to rediss://, and only to it; found " +
                                   node);
  }
  Result<SocketAddress> address = AddressOf(node);
  if (!address.ok()) return Status::InvalidArgument("redis.nodes: " + address.status().text());

  RedisConnectionOptions out;
  out.name = std::move(name);
  out.address = *std::move(address);
  out.username = settings.username;
  out.command_deadline = settings.command_deadline;
  if (tls) {
    out.tls_ca_file = settings.tls_ca;
    out.tls_server_name = out.address.host;
  }
  if (!settings.password_file.empty()) {
    Result<std::string> password = ReadPassword(settings.password_file);
    if (!password.ok()) return password.status();
    out.password = *std::move(password);
  }
  return out;
}

}  // namespace relay

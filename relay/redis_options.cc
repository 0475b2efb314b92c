#include "relay/redis_options.h"

#include <fstream>
#include <utility>

namespace relay {

namespace {

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
  std::string node = settings.nodes.front();
  static constexpr std::string_view kUnixUrl = "unix://";
  if (node.starts_with(kUnixUrl)) node = "unix:" + node.substr(kUnixUrl.size());
  Result<SocketAddress> address = SocketAddress::Parse(node);
  if (!address.ok()) return Status::InvalidArgument("redis.nodes: " + address.status().text());

  RedisConnectionOptions out;
  out.name = std::move(name);
  out.address = *std::move(address);
  out.username = settings.username;
  out.command_deadline = settings.command_deadline;
  if (!settings.tls_ca.empty()) {
    if (!out.address.unix_path.empty()) {
      return Status::InvalidArgument(
          "redis.tls_ca: a unix socket carries no TLS; name an address:port in redis.nodes");
    }
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

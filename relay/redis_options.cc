#include "relay/redis_options.h"

#include <netdb.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>

#include "relay/c_handle.h"

namespace relay {

namespace {

using AddressListPtr = std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>>;

Result<SocketAddress> ResolveNode(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const AddressListPtr owner(list);
  char text[NI_MAXHOST] = "";
  if (error == 0) {
    getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  }
  if (!*text) {
    return Status::Unavailable("cannot resolve Redis host " + host + ": " +
                               (error ? gai_strerror(error) : "no address"));
  }
  SocketAddress out;
  out.host = text;
  out.port = port;
  return out;
}

// Sets the address, and for "rediss://" the name that the certificate must carry.
Status SetNode(const std::string& node, const std::string& tls_ca, RedisConnectionOptions& out) {
  static constexpr std::string_view kUnix = "unix://";
  static constexpr std::string_view kPlain = "redis://";
  static constexpr std::string_view kTls = "rediss://";
  if (node.starts_with(kUnix)) {
    Result<SocketAddress> address = SocketAddress::Parse("unix:" + node.substr(kUnix.size()));
    if (!address.ok()) return address.status();
    out.address = *address;
    return Status::Ok();
  }
  const bool tls = node.starts_with(kTls);
  if (!tls && !node.starts_with(kPlain)) {
    return Status::InvalidArgument(
        "redis.nodes: " + node + " is none of unix://PATH, redis://HOST:PORT, rediss://HOST:PORT");
  }
  if (tls && tls_ca.empty()) {
    return Status::InvalidArgument("redis.nodes: " + node + " needs redis.tls_ca");
  }
  const std::string rest = node.substr(tls ? kTls.size() : kPlain.size());
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return Status::InvalidArgument("redis.nodes: " + node + " lacks a host or a port");
  }
  std::string host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  // The parser of addresses judges the port; the host may be a name.
  Result<SocketAddress> port = SocketAddress::Parse("0.0.0.0:" + rest.substr(colon + 1));
  if (!port.ok()) return Status::InvalidArgument("redis.nodes: bad port in " + node);
  Result<SocketAddress> address = ResolveNode(host, port->port);
  if (!address.ok()) return address.status();
  out.address = *address;
  if (tls) {
    out.tls_ca_file = tls_ca;
    out.tls_server_name = host;
  }
  return Status::Ok();
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
  RedisConnectionOptions out;
  out.name = std::move(name);
  out.username = settings.username;
  out.command_deadline = settings.command_deadline;
  if (Status status = SetNode(settings.nodes.front(), settings.tls_ca, out); !status.ok()) {
    return status;
  }
  if (!settings.password_file.empty()) {
    Result<std::string> password = ReadPassword(settings.password_file);
    if (!password.ok()) return password.status();
    out.password = *std::move(password);
  }
  return out;
}

}  // namespace relay

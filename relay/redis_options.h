#pragma once

#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/redis_client.h"
#include "relay/settings.h"
#include "relay/status.h"
#include "relay/transport.h"

namespace relay {

struct RedisConnectionOptions {
  // Shown by CLIENT LIST as "relay-<name>", and the label of the metrics: "broker-store-0".
  std::string name;
  SocketAddress address;
  // Not empty: TLS, with the authorities of this PEM file, to a server whose certificate carries
  // `tls_server_name`.
  std::string tls_ca_file;
  std::string tls_server_name;
  std::string username;  // With a password only; empty means the default user.
  std::string password;  // Not empty: AUTH.
  Micros command_deadline = std::chrono::seconds(2);
  // Loaded on every connect. Borrowed; they outlive the connection.
  std::vector<const RedisScript*> scripts;
};

// What conf says of Redis, as options of one connection. A node is "unix:///path",
// "redis://address:port", or "rediss://address:port" for TLS, where tls_ca says whom to believe and
// the server's certificate must carry the address. InvalidArgument names the key.
Result<RedisConnectionOptions> MakeRedisOptions(const Settings::Redis& settings, std::string name);

}  // namespace relay

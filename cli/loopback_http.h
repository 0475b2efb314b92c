#pragma once

#include <string>

#include "relay/clock.h"
#include "relay/status.h"
#include "relay/transport.h"

namespace relay {

struct LoopbackAnswer {
  int status = 0;
  std::string body;
};

// One HTTP/1.1 request to a program of ours on this host, on a connection of its own; blocks for at
// most about `patience`. For the few questions that `relayctl up` asks while it starts; load goes
// through `relayctl simulate`. An address that means "all interfaces" is asked over loopback.
Result<LoopbackAnswer> AskLoopback(const SocketAddress& address, const std::string& method,
                                   const std::string& path, const std::string& body,
                                   Millis patience);

// Unavailable when something listens on the port already, or it cannot be taken; names the port.
Status CheckPortIsFree(const SocketAddress& address);

}  // namespace relay

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "relay/http_server.h"
#include "relay/log.h"
#include "relay/metrics.h"

namespace relay {

// What each program shows to its operator and to the machine that watches it:
//
//   GET /healthz   200 "ok" while the loop runs
//   GET /readyz    200, or 503 with the reasons: {"ready":false,"reasons":["redis is away", ...]}
//   GET /metrics   the series, in the text format of Prometheus
//
// Everything else is 404. `loop` and `metrics` outlive it; destroying it closes its port.
class AdminListener {
 public:
  // Why the program is not ready, one sentence each with what to do about it; empty when it is.
  // Called from the loop at each GET /readyz.
  using Reasons = std::function<std::vector<std::string>()>;

  AdminListener(SystemLoop& loop, const Metrics& metrics, Reasons not_ready);

  // Takes the address for this process alone; a non-OK status says what is in the way.
  Status Listen(const SocketAddress& address);
  // The same for instance `instance` of a program on this host: each has a port 10 above the one
  // before it (port 0 stays: any free one). Says in the log where it listens.
  Status ListenAsInstance(const std::string& address, int instance, Log& log);
  // The port it listens on.
  int port() const { return server_.port(); }

 private:
  void OnRequest(HttpExchange exchange);

  const Metrics& metrics_;
  Reasons not_ready_;
  HttpServer server_;
};

}  // namespace relay

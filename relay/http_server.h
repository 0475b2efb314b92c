#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "relay/event_loop.h"
#include "relay/http_request.h"
#include "relay/status.h"
#include "relay/transport.h"

namespace relay {

struct HttpAnswer {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view body{};
  std::string_view extra_headers{};  // Whole lines, each ended by CRLF; empty for none.
  bool close = false;                // Close the connection after this answer.
};

class HttpConnection;

// One request waiting for its answer. Movable; the holder answers once, at any later time. When the
// client has gone meanwhile, answering does nothing. An exchange destroyed without an answer closes
// its connection: a client must never wait for what will not come.
class HttpExchange {
 public:
  HttpExchange() = default;
  HttpExchange(HttpExchange&& other) noexcept;
  HttpExchange& operator=(HttpExchange&& other) noexcept;
  ~HttpExchange();

  // False when the connection has gone or the answer has been given.
  bool open() const { return connection_ != nullptr; }
  // Requires: open().
  const HttpRequest& request() const;
  // The peer's address without port ("unix" for a unix socket). Requires: open().
  std::string peer() const;
  void Answer(const HttpAnswer& answer);

 private:
  friend class HttpConnection;
  explicit HttpExchange(HttpConnection* connection);
  HttpConnection* connection_ = nullptr;
};

// Every limit of a listener; units are in the names or types. See conf/relay.toml for the reasons.
struct HttpLimits {
  int connections_max = 10000;
  int per_ip_max = 0;  // Of one IPv4 address or IPv6 /64; 0: no limit.
  size_t head_bytes_max = 16 * 1024;
  int headers_max = 64;
  size_t body_bytes_max = 1024 * 1024;
  Micros head_deadline = Seconds(10);  // From a request's first byte to the end of its head.
  int body_rate_min = 500;             // Bytes a second, looked at after body_grace.
  Micros body_grace = Seconds(5);      // From the end of the head.
  // All bodies together that have been announced and not come whole: what slow clients can hold.
  size_t receiving_bytes_max = 64 * 1024 * 1024;
  Micros idle = Seconds(60);  // Between two requests of a connection.
};

// Why a request never reached the handler; one word each, used as a metric's label.
using OnHttpRefused = std::function<void(std::string_view reason, int status)>;

// An HTTP/1.1 server on Transport with the strict request parser (relay/http_parser): what is not
// plainly right is refused and the connection closed. One request at a time a connection; what is
// pipelined waits in the socket. Several processes may listen on one port (SO_REUSEPORT).
//
// `handler` gets each whole request, from the loop, and may answer at once or later. The loop
// outlives the server. Destroying the server closes all connections; that is not for inside the
// handler.
class HttpServer {
 public:
  using Handler = std::function<void(HttpExchange exchange)>;

  HttpServer(SystemLoop& loop, HttpLimits limits, Handler handler, OnHttpRefused on_refused);
  ~HttpServer();

  // Opens a listener; may be called for several addresses. Port 0 takes a free one. A non-OK status
  // says which address and why (in use, no permission).
  Status Listen(const SocketAddress& address);
  // The first half of Listen(): has the address, and leaves all clients to the other processes that
  // listen on it until StartAccepting(). A dead unix socket is told by its refusing connections, so
  // another process may take this one for dead in between.
  Status Bind(const SocketAddress& address);
  Status StartAccepting();
  // Like Listen, but the port is ours alone (without SO_REUSEPORT): a second process is refused.
  Status ListenExclusively(const SocketAddress& address);
  // The port of the first TCP listener.
  int port() const;

  // Closes the listeners and idle connections; each answer from now on says "Connection: close".
  // When connections() has come to 0, every answer has been sent: in_flight() of 0 alone does not
  // say that yet.
  void StopAccepting();
  int connections() const;
  // Requests given to the handler and not answered yet.
  int in_flight() const;

 private:
  friend class HttpConnection;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The standard reason phrase, e.g. "Service Unavailable"; empty for an unknown status.
std::string_view HttpReasonPhrase(int status);

}  // namespace relay

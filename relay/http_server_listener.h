#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "relay/event_loop.h"
#include "relay/status.h"
#include "relay/transport.h"

struct event;
struct sockaddr_storage;

namespace relay {

// Who is at the other end of a connection; small, because each connection holds one.
struct HttpPeer {
  enum class Kind : uint8_t { kUnix, kIpv4, kIpv6 };

  Kind kind = Kind::kUnix;
  std::array<uint8_t, 16> address{};  // IPv4 takes the first four.

  static HttpPeer FromSockaddr(const sockaddr_storage& from);
  std::string ToString() const;
  // What a limit per address counts by: the address, or the /64 of an IPv6 address, because one
  // subscriber has all of those.
  HttpPeer Network() const;
  auto operator<=>(const HttpPeer&) const = default;
};

// A listening socket with its accept loop. libevent's own listener spins when the process has no
// descriptor left: accept fails, the socket stays readable, and so for ever. This one keeps a spare
// descriptor, gives it up to accept and close what waits, and then leaves the socket alone for a
// moment.
//
// `loop` outlives it. Destroying it closes the socket, and removes the path of a unix socket.
class HttpListener {
 public:
  static constexpr int kBacklog = 4096;
  // So that a burst of connections does not keep the loop from what it has accepted.
  static constexpr int kAcceptsPerTurn = 64;

  // Takes over `fd`, a connected non-blocking socket.
  using OnAccepted = std::function<void(int fd, const HttpPeer& peer)>;
  // A connection had to be closed unheard because no descriptor was left.
  using OnShed = std::function<void()>;

  // Takes the address. Unless `exclusive`, other processes may listen on the same port
  // (SO_REUSEPORT). A failure says which address and why. A unix socket that nobody listens on any
  // more is replaced.
  static Result<std::unique_ptr<HttpListener>> Bind(SystemLoop& loop, const SocketAddress& address,
                                                    bool exclusive, OnAccepted on_accepted,
                                                    OnShed on_shed);
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // Takes connections from now on.
  Status Listen();
  // The port that was bound; 0 for a unix socket.
  int port() const { return port_; }

 private:
  HttpListener(SystemLoop& loop, const SocketAddress& address, int fd, OnAccepted on_accepted,
               OnShed on_shed);
  static void HandleReadable(int fd, short what, void* self) noexcept;
  void AcceptWaiting();
  void ShedOne();

  const SocketAddress address_;
  const int fd_;
  OnAccepted on_accepted_;
  OnShed on_shed_;
  int port_ = 0;
  int spare_fd_;
  event* readable_;
  std::unique_ptr<Timer> resume_;
};

}  // namespace relay

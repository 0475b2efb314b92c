#include "relay/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "relay/http_answer.h"
#include "relay/http_server_connection.h"
#include "relay/http_server_listener.h"

namespace relay {

namespace {

// Between two looks at the deadlines: a quarter of the shortest one, so that the limits of a test
// hold too, and not more often than the loop can bear.
Micros SweepPeriod(const HttpLimits& limits) {
  const Micros shortest = std::min({limits.head_deadline, limits.body_grace, limits.idle});
  return std::clamp<Micros>(shortest / 4, Millis(10), Seconds(1));
}

}  // namespace

struct HttpServer::Impl {
  Impl(SystemLoop& loop, HttpLimits limits, Handler handler, OnHttpRefused on_refused)
      : shared(loop, limits, std::move(handler), std::move(on_refused)),
        sweep(loop.NewTimer([this] { SweepAll(); })) {}

  Status Bind(const SocketAddress& address, bool exclusive) {
    auto listener = HttpListener::Bind(
        shared.loop, address, exclusive,
        [this](int fd, const HttpPeer& peer) { OnAccepted(fd, peer); },
        [this] { shared.on_refused("descriptors", 503); });
    if (!listener.ok()) return listener.status();
    if (port == 0) port = (*listener)->port();
    bound.push_back(std::move(*listener));
    return Status::Ok();
  }

  Status StartAccepting() {
    while (!bound.empty()) {
      if (Status status = bound.back()->Listen(); !status.ok()) return status;
      listeners.push_back(std::move(bound.back()));
      bound.pop_back();
    }
    return Status::Ok();
  }

  Status Listen(const SocketAddress& address, bool exclusive) {
    const Status status = Bind(address, exclusive);
    return status.ok() ? StartAccepting() : status;
  }

  void OnAccepted(int fd, const HttpPeer& peer) {
    if (static_cast<int>(shared.connections.size()) >= shared.limits.connections_max) {
      return TurnAway(fd, "connections");
    }
    if (shared.limits.per_ip_max > 0 && peer.kind != HttpPeer::Kind::kUnix) {
      const auto found = shared.by_network.find(peer.Network());
      if (found != shared.by_network.end() && found->second >= shared.limits.per_ip_max) {
        return TurnAway(fd, "connections_of_address");
      }
    }
    shared.Add(fd, peer);
    if (!sweep->armed()) sweep->Arm(SweepPeriod(shared.limits));
  }

  // At the limit there is no room to wait for the client: it gets its answer in one write.
  void TurnAway(int fd, std::string_view reason) {
    shared.on_refused(reason, 503);
    const std::string body = HttpErrorBody(503, reason);
    HttpAnswer answer;
    answer.status = 503;
    answer.body = body;
    shared.answer.clear();
    ComposeHttpAnswer(answer, /*to_head=*/false, HttpPersistence::kCloses, &shared.answer);
    [[maybe_unused]] const ssize_t sent =
        send(fd, shared.answer.data(), shared.answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
  }

  // From the back, because a connection that leaves is replaced by the last one.
  void SweepAll() {
    const MonoTime now = shared.loop.clock().Now();
    for (size_t i = shared.connections.size(); i-- > 0;) shared.connections[i]->Sweep(now);
    if (!shared.connections.empty()) sweep->Arm(SweepPeriod(shared.limits));
  }

  HttpServerShared shared;
  std::vector<std::unique_ptr<HttpListener>> bound;  // And not listening yet.
  std::vector<std::unique_ptr<HttpListener>> listeners;
  int port = 0;
  std::unique_ptr<Timer> sweep;
};

HttpServer::HttpServer(SystemLoop& loop, HttpLimits limits, Handler handler,
                       OnHttpRefused on_refused)
    : impl_(std::make_unique<Impl>(loop, limits, std::move(handler), std::move(on_refused))) {}

HttpServer::~HttpServer() = default;

Status HttpServer::Listen(const SocketAddress& address) {
  return impl_->Listen(address, /*exclusive=*/false);
}

Status HttpServer::ListenExclusively(const SocketAddress& address) {
  return impl_->Listen(address, /*exclusive=*/true);
}

Status HttpServer::Bind(const SocketAddress& address) {
  return impl_->Bind(address, /*exclusive=*/false);
}

Status HttpServer::StartAccepting() {
  return impl_->StartAccepting();
}

int HttpServer::port() const {
  return impl_->port;
}

void HttpServer::StopAccepting() {
  impl_->shared.stopping = true;
  impl_->bound.clear();
  impl_->listeners.clear();
  auto& connections = impl_->shared.connections;
  for (size_t i = connections.size(); i-- > 0;) connections[i]->CloseIfIdle();
}

int HttpServer::connections() const {
  return static_cast<int>(impl_->shared.connections.size());
}

int HttpServer::in_flight() const {
  return impl_->shared.in_flight;
}

}  // namespace relay

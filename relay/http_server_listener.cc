#include "relay/http_server_listener.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

constexpr Micros kPause = Millis(100);

Status Failure(const char* what, const SocketAddress& address) {
  const int error = errno;
  const std::string text =
      std::string(what) + " " + address.ToString() + ": " + std::strerror(error);
  return error == EADDRINUSE ? Status::Conflict(text) : Status::Unavailable(text);
}

class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// A path that a dead process left behind stands in the way of bind. It is removed only when it is a
// socket and nobody answers on it.
void RemoveDeadSocket(const SocketAddress& address) {
  struct stat found;
  if (lstat(address.unix_path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  OwnedFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const socklen_t length = address.ToSockaddr(&storage);
  if (connect(probe.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 &&
      errno == ECONNREFUSED) {
    unlink(address.unix_path.c_str());
  }
}

int BoundPort(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return 0;
}

int OpenSpare() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

HttpPeer HttpPeer::FromSockaddr(const sockaddr_storage& from) {
  HttpPeer out;
  if (from.ss_family == AF_INET) {
    out.kind = Kind::kIpv4;
    std::memcpy(out.address.data(), &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4);
  } else if (from.ss_family == AF_INET6) {
    out.kind = Kind::kIpv6;
    std::memcpy(out.address.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, 16);
  }
  return out;
}

std::string HttpPeer::ToString() const {
  if (kind == Kind::kUnix) return "unix";
  char text[INET6_ADDRSTRLEN];
  inet_ntop(kind == Kind::kIpv4 ? AF_INET : AF_INET6, address.data(), text, sizeof(text));
  return text;
}

HttpPeer HttpPeer::Network() const {
  HttpPeer out = *this;
  if (kind == Kind::kIpv6) std::fill(out.address.begin() + 8, out.address.end(), uint8_t{0});
  return out;
}

Result<std::unique_ptr<HttpListener>> HttpListener::Bind(SystemLoop& loop,
                                                         const SocketAddress& address,
                                                         bool exclusive, OnAccepted on_accepted,
                                                         OnShed on_shed) {
  sockaddr_storage storage;
  const socklen_t length = address.ToSockaddr(&storage);
  OwnedFd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return Failure("socket for", address);
  if (address.unix_path.empty()) {
    const int on = 1;
    // Lets a restarted process bind while old connections linger in TIME_WAIT.
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!exclusive) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (storage.ss_family == AF_INET6) {
      // [::] and 0.0.0.0 are two listeners; one that takes both would collide with the other.
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
  } else {
    RemoveDeadSocket(address);
  }
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    return Failure("listen on", address);
  }
  return std::unique_ptr<HttpListener>(
      new HttpListener(loop, address, fd.Release(), std::move(on_accepted), std::move(on_shed)));
}

HttpListener::HttpListener(SystemLoop& loop, const SocketAddress& address, int fd,
                           OnAccepted on_accepted, OnShed on_shed)
    : address_(address),
      fd_(fd),
      on_accepted_(std::move(on_accepted)),
      on_shed_(std::move(on_shed)),
      port_(BoundPort(fd)),
      spare_fd_(OpenSpare()),
      readable_(
          event_new(loop.base(), fd, EV_READ | EV_PERSIST, &HttpListener::HandleReadable, this)),
      resume_(loop.NewTimer([this] { event_add(readable_, nullptr); })) {
  RELAY_CHECK(readable_);
}

HttpListener::~HttpListener() {
  event_free(readable_);
  close(fd_);
  if (spare_fd_ >= 0) close(spare_fd_);
  if (!address_.unix_path.empty()) unlink(address_.unix_path.c_str());
}

Status HttpListener::Listen() {
  if (listen(fd_, kBacklog) != 0) return Failure("listen on", address_);
  RELAY_CHECK(event_add(readable_, nullptr) == 0);
  return Status::Ok();
}

void HttpListener::HandleReadable(int, short, void* self) noexcept {
  static_cast<HttpListener*>(self)->AcceptWaiting();
}

void HttpListener::AcceptWaiting() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const int fd =
        accept4(fd_, reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      on_accepted_(fd, HttpPeer::FromSockaddr(from));
      continue;
    }
    // What failed was that one connection (it was reset while it waited), not the listener.
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Out of descriptors or of kernel memory. Those who wait on in the backlog are served as soon
    // as there is room again.
    ShedOne();
    event_del(readable_);
    resume_->Arm(kPause);
    return;
  }
}

void HttpListener::ShedOne() {
  if (spare_fd_ >= 0) close(spare_fd_);
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    on_shed_();
  }
  spare_fd_ = OpenSpare();
}

}  // namespace relay

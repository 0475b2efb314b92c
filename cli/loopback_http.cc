#include "cli/loopback_http.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace relay {

namespace {

// More than any answer that is asked for here has.
constexpr size_t kAnswerBytesMax = 1024 * 1024;

// Closes what it holds.
class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

socklen_t ToSockaddr(const SocketAddress& address, sockaddr_storage* storage) {
  std::memset(storage, 0, sizeof(*storage));
  auto* in = reinterpret_cast<sockaddr_in*>(storage);
  if (inet_pton(AF_INET, address.host.c_str(), &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons(static_cast<uint16_t>(address.port));
    return sizeof(*in);
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(storage);
  inet_pton(AF_INET6, address.host.c_str(), &in6->sin6_addr);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(static_cast<uint16_t>(address.port));
  return sizeof(*in6);
}

Status Failed(const char* what, const SocketAddress& address) {
  return Status::Unavailable(std::string(what) + " " + address.ToString() + ": " +
                             std::strerror(errno));
}

Result<LoopbackAnswer> ReadAnswer(int fd, const SocketAddress& address) {
  std::string bytes;
  char piece[16 * 1024];
  while (bytes.size() < kAnswerBytesMax) {
    const ssize_t got = recv(fd, piece, sizeof(piece), 0);
    if (got < 0) return Failed("no answer from", address);
    if (got == 0) break;  // The request said "Connection: close".
    bytes.append(piece, got);
  }
  // "HTTP/1.1 200 ..."
  LoopbackAnswer answer;
  const size_t body = bytes.find("\r\n\r\n");
  if (!bytes.starts_with("HTTP/1.1 ") || body == std::string::npos) {
    return Status::Unavailable("no HTTP answer from " + address.ToString());
  }
  std::from_chars(bytes.data() + 9, bytes.data() + 12, answer.status);
  answer.body = bytes.substr(body + 4);
  return answer;
}

}  // namespace

Result<LoopbackAnswer> AskLoopback(const SocketAddress& address, const std::string& method,
                                   const std::string& path, const std::string& body,
                                   Millis patience) {
  SocketAddress to = address;
  if (to.host == "0.0.0.0") to.host = "127.0.0.1";
  if (to.host == "::") to.host = "::1";
  sockaddr_storage storage;
  const socklen_t size = ToSockaddr(to, &storage);
  const Socket socket(storage.ss_family);
  const timeval limit{static_cast<time_t>(patience.count() / 1000),
                      static_cast<suseconds_t>(patience.count() % 1000 * 1000)};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(socket.fd(), reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    return Failed("cannot connect to", to);
  }
  std::string request =
      method + " " + path + " HTTP/1.1\r\nHost: " + to.ToString() + "\r\nConnection: close\r\n";
  if (!body.empty()) {
    request +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  request += "\r\n" + body;
  for (size_t sent = 0; sent < request.size();) {
    const ssize_t now =
        send(socket.fd(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return Failed("cannot send to", to);
    sent += now;
  }
  return ReadAnswer(socket.fd(), to);
}

Status CheckPortIsFree(const SocketAddress& address) {
  sockaddr_storage storage;
  const socklen_t size = ToSockaddr(address, &storage);
  const Socket socket(storage.ss_family);
  // What a connection of a moment ago left behind (TIME_WAIT) is no obstacle.
  const int on = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(socket.fd(), reinterpret_cast<sockaddr*>(&storage), size) != 0 ||
      listen(socket.fd(), 1) != 0) {
    return Status::Unavailable("port " + std::to_string(address.port) + " cannot be taken (" +
                               address.ToString() + ": " + std::strerror(errno) +
                               "); --base-port N moves all ports");
  }
  return Status::Ok();
}

}  // namespace relay

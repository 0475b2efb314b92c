#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "relay/check.h"

namespace relay {

RawClient RawClient::Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  RELAY_CHECK(fd >= 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  RawClient out(fd);
  // A connection to a listener's backlog stands at once; a refusal shows as closed.
  out.closed_ = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0;
  return out;
}

RawClient RawClient::ConnectUnix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  RELAY_CHECK(fd >= 0 && path.size() < sizeof(to.sun_path));
  std::memcpy(to.sun_path, path.data(), path.size());
  RawClient out(fd);
  out.closed_ = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0;
  return out;
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      received_(std::move(other.received_)),
      closed_(other.closed_),
      reset_(other.reset_) {}

RawClient::~RawClient() {
  Close();
}

size_t RawClient::Send(std::string_view bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

RawClient& RawClient::Look() {
  char bytes[16 * 1024];
  while (!closed_ && fd_ >= 0) {
    const ssize_t got = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got > 0) {
      received_.append(bytes, static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      closed_ = true;
      reset_ = got < 0;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  return *this;
}

std::string RawClient::Take() {
  return std::exchange(received_, {});
}

int RawClient::Count(std::string_view text) const {
  int count = 0;
  for (size_t at = received_.find(text); at != std::string::npos;
       at = received_.find(text, at + text.size())) {
    ++count;
  }
  return count;
}

void RawClient::EndSending() {
  shutdown(fd_, SHUT_WR);
}

void RawClient::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void RawClient::Abort() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  Close();
}

}  // namespace relay

#include "relay/transport.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "relay/check.h"

namespace relay {

namespace {

constexpr size_t kInputBytesDefault = 64 * 1024;
constexpr size_t kReadBytesMax = 64 * 1024;
constexpr int kBufferEventOptions = BEV_OPT_CLOSE_ON_FREE;

void SetNoDelay(int fd) {
  // Fails on a unix socket, which has no such delay.
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

std::string ErrorText(bufferevent* events, bool tls) {
  if (tls) {
    if (unsigned long code = bufferevent_get_openssl_error(events)) {
      char text[256];
      ERR_error_string_n(code, text, sizeof(text));
      return std::string("TLS: ") + text;
    }
  }
  const int error = EVUTIL_SOCKET_ERROR();
  return error ? evutil_socket_error_to_string(error) : "connection broken";
}

}  // namespace

Result<SocketAddress> SocketAddress::Parse(std::string_view text) {
  SocketAddress out;
  if (text.starts_with("unix:")) {
    // "unix:///run/x.sock" is the same socket as "unix:/run/x.sock".
    out.unix_path = text.substr(text.starts_with("unix://") ? 7 : 5);
    if (out.unix_path.empty()) return Status::InvalidArgument("socket path is empty");
    if (out.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return Status::InvalidArgument("socket path has " + std::to_string(out.unix_path.size()) +
                                     " bytes, 107 are the limit: " + out.unix_path);
    }
    return out;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Status::InvalidArgument("address lacks a port: " + std::string(text));
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  out.host = host;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || out.port < 0 ||
      out.port > 65535) {
    return Status::InvalidArgument("bad port in address: " + std::string(text));
  }
  in6_addr parsed;
  if (inet_pton(AF_INET, out.host.c_str(), &parsed) != 1 &&
      inet_pton(AF_INET6, out.host.c_str(), &parsed) != 1) {
    return Status::InvalidArgument("not an IPv4 or IPv6 address: " + std::string(text));
  }
  return out;
}

std::string SocketAddress::ToString() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

unsigned SocketAddress::ToSockaddr(sockaddr_storage* storage) const {
  std::memset(storage, 0, sizeof(*storage));
  if (!unix_path.empty()) {
    auto* un = reinterpret_cast<sockaddr_un*>(storage);
    un->sun_family = AF_UNIX;
    std::memcpy(un->sun_path, unix_path.data(), unix_path.size());
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + unix_path.size() + 1);
  }
  auto* in = reinterpret_cast<sockaddr_in*>(storage);
  if (inet_pton(AF_INET, host.c_str(), &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons(static_cast<uint16_t>(port));
    return sizeof(sockaddr_in);
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(storage);
  RELAY_CHECK(inet_pton(AF_INET6, host.c_str(), &in6->sin6_addr) == 1);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(static_cast<uint16_t>(port));
  return sizeof(sockaddr_in6);
}

std::unique_ptr<Transport> Transport::Accept(SystemLoop& loop, int fd,
                                             TransportObserver& observer) {
  SetNoDelay(fd);
  bufferevent* events = bufferevent_socket_new(loop.base(), fd, kBufferEventOptions);
  RELAY_CHECK(events);
  std::unique_ptr<Transport> out(new Transport(loop, events, observer, /*tls=*/false));
  out->connected_ = true;
  bufferevent_disable(events, EV_WRITE);
  out->BeginReading();
  return out;
}

Result<std::unique_ptr<Transport>> Transport::Connect(SystemLoop& loop,
                                                      const SocketAddress& address,
                                                      TransportObserver& observer, ssl_ctx_st* tls,
                                                      const std::string& server_name) {
  bufferevent* events = nullptr;
  if (tls) {
    SSL* ssl = SSL_new(tls);
    if (!ssl) return Status::Internal("SSL_new failed");
    if (!server_name.empty()) {
      SSL_set_tlsext_host_name(ssl, server_name.c_str());
      SSL_set1_host(ssl, server_name.c_str());
    }
    events = bufferevent_openssl_socket_new(loop.base(), -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                            kBufferEventOptions);
    // A Redis or proxy that ends without close_notify is an ordinary broken connection.
    if (events) bufferevent_openssl_set_allow_dirty_shutdown(events, 1);
  } else {
    events = bufferevent_socket_new(loop.base(), -1, kBufferEventOptions);
  }
  if (!events) return Status::Internal("no bufferevent");
  std::unique_ptr<Transport> out(new Transport(loop, events, observer, tls != nullptr));
  sockaddr_storage storage;
  const socklen_t length = address.ToSockaddr(&storage);
  if (tls) bufferevent_enable(events, EV_READ);
  if (bufferevent_socket_connect(events, reinterpret_cast<sockaddr*>(&storage),
                                 static_cast<int>(length)) != 0) {
    return Status::Unavailable("connect " + address.ToString() + ": " +
                               evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
  }
  SetNoDelay(bufferevent_getfd(events));
  return out;
}

Transport::Transport(SystemLoop& loop, bufferevent* events, TransportObserver& observer, bool tls)
    : loop_(loop), events_(events), observer_(observer), tls_(tls) {
  bufferevent_setcb(events_, &Transport::HandleRead, &Transport::HandleWritten,
                    &Transport::HandleEvent, this);
  LimitInput(kInputBytesDefault);
}

Transport::~Transport() {
  readable_.reset();
  bufferevent_free(events_);
}

evbuffer* Transport::input() {
  return bufferevent_get_input(events_);
}
evbuffer* Transport::output() {
  return bufferevent_get_output(events_);
}
int Transport::fd() const {
  return bufferevent_getfd(events_);
}

size_t Transport::unsent_bytes() const {
  return evbuffer_get_length(bufferevent_get_output(events_));
}

void Transport::Drain(size_t bytes) {
  evbuffer_drain(input(), bytes);
  UpdateReading();
}

void Transport::LimitInput(size_t bytes) {
  input_max_ = bytes;
  if (tls_) bufferevent_setwatermark(events_, EV_READ, 0, bytes);
  UpdateReading();
}

// ---- Reading of a plain connection

void Transport::BeginReading() {
  if (tls_) return;
  readable_.reset(
      event_new(loop_.base(), fd(), EV_READ | EV_PERSIST, &Transport::HandleReadable, this));
  RELAY_CHECK(readable_);
  UpdateReading();
}

void Transport::UpdateReading() {
  if (!readable_) return;
  const bool wanted = evbuffer_get_length(input()) < input_max_;
  if (wanted == waiting_to_read_) return;
  waiting_to_read_ = wanted;
  if (wanted) {
    event_add(readable_.get(), nullptr);
  } else {
    event_del(readable_.get());
  }
}

void Transport::HandleReadable(int, short, void* self) noexcept {
  static_cast<Transport*>(self)->ReadPlain();
}

void Transport::ReadPlain() {
  // Copied from here, a connection's buffer is as long as what has come.
  static thread_local char bytes[kReadBytesMax];
  evbuffer* in = input();
  const size_t room = input_max_ - std::min(input_max_, evbuffer_get_length(in));
  if (room == 0) return UpdateReading();
  const ssize_t size = read(fd(), bytes, std::min(room, kReadBytesMax));
  if (size > 0) {
    // Frozen as the output is: only the bufferevent itself may append.
    evbuffer_unfreeze(in, /*at_front=*/0);
    evbuffer_add(in, bytes, static_cast<size_t>(size));
    evbuffer_freeze(in, /*at_front=*/0);
    observer_.OnReadable();  // May destroy us.
  } else if (size == 0) {
    half_closed_ = true;
    EndReading(Status::Unavailable("closed by the other side"));
  } else if (errno != EAGAIN && errno != EINTR) {
    EndReading(Status::Unavailable(ErrorText(events_, tls_)));
  }
}

void Transport::EndReading(const Status& why) {
  readable_.reset();
  observer_.OnClosed(why);
}

void Transport::Flush() {
  // Before the connection stands, and under TLS, libevent's own write path sends the bytes.
  if (connected_ && !tls_ && !waiting_to_write_) loop_.AtTurnEnd(*this, Phase::kFlush);
}

void Transport::ShutdownAfterWrite() {
  shutdown_after_write_ = true;
  if (unsent_bytes() == 0) {
    CloseSending();
  } else {
    Flush();
  }
}

void Transport::CloseSending() {
  if (tls_) {
    if (SSL* ssl = bufferevent_openssl_get_ssl(events_)) SSL_shutdown(ssl);
  }
  shutdown(fd(), SHUT_WR);
}

void Transport::OnTurnEnd() {
  FlushPlain();
}

void Transport::FlushPlain() {
  evbuffer* out = output();
  if (evbuffer_get_length(out) == 0) return;
  // A bufferevent keeps the front of its output frozen so that nobody but its own write callback
  // drains it. We write exactly what that callback would write, without waiting for the epoll
  // round trip that would call it.
  evbuffer_unfreeze(out, /*at_front=*/1);
  const int written = evbuffer_write(out, fd());
  const int error = errno;
  evbuffer_freeze(out, /*at_front=*/1);
  if (written < 0 && error != EAGAIN && error != EINTR) {
    observer_.OnClosed(Status::Unavailable(std::string("write: ") + std::strerror(error)));
    return;  // The observer may have destroyed us.
  }
  if (evbuffer_get_length(out) > 0) {
    waiting_to_write_ = true;
    bufferevent_enable(events_, EV_WRITE);
  } else if (shutdown_after_write_) {
    CloseSending();
  }
}

void Transport::HandleRead(bufferevent*, void* self) noexcept {
  static_cast<Transport*>(self)->observer_.OnReadable();
}

void Transport::HandleWritten(bufferevent*, void* opaque) noexcept {
  auto* self = static_cast<Transport*>(opaque);
  if (self->unsent_bytes() > 0) return;
  if (!self->tls_ && self->waiting_to_write_) {
    self->waiting_to_write_ = false;
    bufferevent_disable(self->events_, EV_WRITE);
  }
  if (self->shutdown_after_write_) self->CloseSending();
  self->observer_.OnDrained();
}

void Transport::HandleEvent(bufferevent* events, short what, void* opaque) noexcept {
  auto* self = static_cast<Transport*>(opaque);
  if (what & BEV_EVENT_CONNECTED) {
    self->connected_ = true;
    if (!self->tls_) {
      bufferevent_disable(events, EV_WRITE);
      self->BeginReading();
      if (self->unsent_bytes() > 0) self->Flush();
    }
    self->observer_.OnConnected();
    return;
  }
  if (what & BEV_EVENT_EOF) {
    self->half_closed_ = true;
    self->observer_.OnClosed(Status::Unavailable("closed by the other side"));
    return;
  }
  if (what & BEV_EVENT_ERROR) {
    self->observer_.OnClosed(Status::Unavailable(ErrorText(events, self->tls_)));
  }
}

}  // namespace relay

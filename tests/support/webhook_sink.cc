#include "tests/support/webhook_sink.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

sockaddr_in Loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int PortOf(int fd) {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  RELAY_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  return ntohs(bound.sin_port);
}

// With a linger time of zero, close() sends a reset.
void ResetOnClose(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// The length of the request at the beginning of `bytes`; 0 while its head is not whole.
size_t RequestLength(std::string_view bytes) {
  const size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  constexpr std::string_view kName = "content-length:";
  size_t body = 0;
  for (size_t line = 0; line < head; line = bytes.find("\r\n", line) + 2) {
    if (strncasecmp(bytes.data() + line, kName.data(), kName.size()) != 0) continue;
    body = std::stoul(std::string(bytes.substr(line + kName.size(), 12)));
  }
  return head + 4 + body;
}

}  // namespace

WebhookSink::WebhookSink(SystemLoop& loop, OnRequest on_request, ssl_ctx_st* tls)
    : loop_(loop), on_request_(std::move(on_request)), tls_(tls) {
  const sockaddr_in address = Loopback();
  const auto accept = [](evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* self) {
    static_cast<WebhookSink*>(self)->OnAccept(fd);
  };
  listener_ = evconnlistener_new_bind(loop.base(), accept, this, LEV_OPT_CLOSE_ON_FREE, 1024,
                                      reinterpret_cast<const sockaddr*>(&address), sizeof address);
  RELAY_CHECK(listener_);
  port_ = PortOf(evconnlistener_get_fd(listener_));
}

WebhookSink::~WebhookSink() {
  while (!connections_.empty()) Remove(connections_.front().get());
  evconnlistener_free(listener_);
  if (slowness_) ev_token_bucket_cfg_free(slowness_);
}

std::string WebhookSink::url() const {
  return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_) + "/hook";
}

void WebhookSink::ReadSlowly(size_t bytes_a_second) {
  constexpr size_t kTicksASecond = 10;
  const size_t bytes = bytes_a_second / kTicksASecond;
  const timeval tick{0, 1'000'000 / kTicksASecond};
  slowness_ = ev_token_bucket_cfg_new(bytes, bytes, EV_RATE_LIMIT_MAX, EV_RATE_LIMIT_MAX, &tick);
  RELAY_CHECK(slowness_);
}

void WebhookSink::OnAccept(int fd) {
  ++accepted_;
  if (reset_on_accept_) {
    ResetOnClose(fd);
    close(fd);
    return;
  }
  connections_.push_back(std::unique_ptr<Connection>(new Connection(*this)));
  Connection* connection = connections_.back().get();
  connection->events_ =
      tls_ ? bufferevent_openssl_socket_new(loop_.base(), fd, SSL_new(tls_),
                                            BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
           : bufferevent_socket_new(loop_.base(), fd, BEV_OPT_CLOSE_ON_FREE);
  RELAY_CHECK(connection->events_);
  if (slowness_) bufferevent_set_rate_limit(connection->events_, slowness_);
  bufferevent_setcb(
      connection->events_,
      [](bufferevent*, void* self) { static_cast<Connection*>(self)->OnBytes(); },
      [](bufferevent*, void* self) { static_cast<Connection*>(self)->OnDrained(); },
      [](bufferevent*, short what, void* self) {
        auto* gone = static_cast<Connection*>(self);
        if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) gone->sink_.Remove(gone);
      },
      connection);
  bufferevent_enable(connection->events_, EV_READ | EV_WRITE);
}

void WebhookSink::Remove(Connection* connection) {
  const auto place =
      std::find_if(connections_.begin(), connections_.end(),
                   [&](const std::unique_ptr<Connection>& c) { return c.get() == connection; });
  RELAY_CHECK(place != connections_.end());
  bufferevent_free(connection->events_);
  connections_.erase(place);
}

void WebhookSink::Connection::OnBytes() {
  evbuffer* input = bufferevent_get_input(events_);
  const size_t size = evbuffer_get_length(input);
  // A large body is looked at again only when all of it is there.
  if (size < request_length_) return;
  const auto* bytes = reinterpret_cast<const char*>(evbuffer_pullup(input, -1));
  if (TakenBefore(bytes, size)) return;
  request_length_ = RequestLength({bytes, size});
  if (request_length_ == 0 || size < request_length_) return;
  const std::string request(bytes, std::exchange(request_length_, 0));
  evbuffer_drain(input, request.size());
  if (sink_.keeps_requests_) sink_.requests_.push_back(request);
  sink_.on_request_(*this, request);
}

// Whether OnBegun takes the connection, or has taken it; it may be gone then.
bool WebhookSink::Connection::TakenBefore(const char* bytes, size_t size) {
  if (taken_) return true;
  if (!sink_.on_begun_) return false;
  taken_ = true;
  if (sink_.on_begun_(*this, std::string(bytes, size))) return true;
  taken_ = false;
  return false;
}

void WebhookSink::Connection::OnDrained() {
  if (!flood_.empty()) return Send(flood_);
  if (closing_) sink_.Remove(this);
}

void WebhookSink::Connection::DripOne() {
  if (drip_.empty()) return;
  Send(drip_.substr(0, 1));
  drip_.erase(0, 1);
  drip_timer_->Arm(drip_every_);
}

void WebhookSink::Connection::Send(const std::string& bytes) {
  bufferevent_write(events_, bytes.data(), bytes.size());
}

void WebhookSink::Connection::Answer(int status, const std::string& body,
                                     const std::string& headers) {
  Send("HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Length: " +
       std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
}

void WebhookSink::Connection::Flood(const std::string& bytes) {
  flood_ = bytes;
  Send(bytes);
}

void WebhookSink::Connection::Drip(const std::string& bytes, Millis every) {
  drip_ = bytes;
  drip_every_ = every;
  drip_timer_ = sink_.loop_.NewTimer([this] { DripOne(); });
  drip_timer_->Arm(every);
}

void WebhookSink::Connection::Close() {
  if (evbuffer_get_length(bufferevent_get_output(events_)) == 0) return sink_.Remove(this);
  closing_ = true;
}

void WebhookSink::Connection::Reset() {
  ResetOnClose(bufferevent_getfd(events_));
  sink_.Remove(this);
}

void WebhookSink::Connection::ResetAfter(Millis pause) {
  reset_timer_ = sink_.loop_.NewTimer([this] { Reset(); });
  reset_timer_->Arm(pause);
}

void WebhookSink::Connection::StopReading() {
  bufferevent_disable(events_, EV_READ);
}

RefusingPort::RefusingPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // Bound, but not listening.
  const sockaddr_in address = Loopback();
  RELAY_CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  port_ = PortOf(fd_);
}

RefusingPort::~RefusingPort() {
  close(fd_);
}

}  // namespace relay

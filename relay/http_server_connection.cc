#include "relay/http_server_connection.h"

#include <event2/buffer.h>

#include <algorithm>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

// A client that sends requests and does not read the answers is not read from above this.
constexpr size_t kUnsentBytesMax = 64 * 1024;
constexpr Micros kLinger = Seconds(1);
constexpr size_t kLingerBytesMax = 64 * 1024;

HttpParserLimits ParserLimits(const HttpLimits& limits) {
  return {limits.head_bytes_max, limits.headers_max, limits.body_bytes_max};
}

}  // namespace

// ---- HttpServerShared

void HttpServerShared::Add(int fd, const HttpPeer& peer) {
  if (limits.per_ip_max > 0) ++by_network[peer.Network()];
  connections.push_back(std::make_unique<HttpConnection>(*this, fd, peer, connections.size()));
}

void HttpServerShared::Remove(HttpConnection& connection) {
  if (limits.per_ip_max > 0) {
    const auto found = by_network.find(connection.peer().Network());
    if (--found->second == 0) by_network.erase(found);
  }
  std::unique_ptr<HttpConnection> leaving = std::move(connections[connection.place_]);
  if (connection.place_ + 1 != connections.size()) {
    connections[connection.place_] = std::move(connections.back());
    connections[connection.place_]->place_ = connection.place_;
  }
  connections.pop_back();
  loop.DeferDelete(std::move(leaving));
}

// ---- HttpExchange

HttpExchange::HttpExchange(HttpConnection* connection) : connection_(connection) {
  connection_->exchange_ = this;
}

HttpExchange::HttpExchange(HttpExchange&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {
  if (connection_) connection_->exchange_ = this;
}

HttpExchange& HttpExchange::operator=(HttpExchange&& other) noexcept {
  if (this == &other) return *this;
  if (connection_) connection_->Abandon();
  connection_ = std::exchange(other.connection_, nullptr);
  if (connection_) connection_->exchange_ = this;
  return *this;
}

HttpExchange::~HttpExchange() {
  if (connection_) connection_->Abandon();
}

const HttpRequest& HttpExchange::request() const {
  RELAY_CHECK(connection_);
  return connection_->request_;
}

std::string HttpExchange::peer() const {
  RELAY_CHECK(connection_);
  return connection_->peer_.ToString();
}

void HttpExchange::Answer(const HttpAnswer& answer) {
  if (connection_) connection_->Answer(answer);
}

// ---- HttpConnection

HttpConnection::HttpConnection(HttpServerShared& server, int fd, const HttpPeer& peer, size_t place)
    : server_(server),
      peer_(peer),
      place_(place),
      parser_(ParserLimits(server.limits)),
      deadline_(server.loop.clock().Now() + server.limits.idle),
      transport_(Transport::Accept(server.loop, fd, *this)) {
  transport_->LimitInput(server_.limits.head_bytes_max);
}

HttpConnection::~HttpConnection() {
  // After Close() the server may be gone; before it, it is the server that destroys us.
  if (exchange_) exchange_->connection_ = nullptr;
}

void HttpConnection::OnReadable() {
  switch (state_) {
    case State::kReading:
      ReadRequests();
      break;
    case State::kLingering:
      Discard();
      break;
    case State::kHandling:  // The bytes wait.
    case State::kClosed:
      break;
  }
}

void HttpConnection::OnDrained() {
  if (state_ == State::kReading) {
    ReadRequests();
  } else if (state_ == State::kLingering && peer_finished_) {
    Close();
  } else if (state_ == State::kLingering) {
    deadline_ = server_.loop.clock().Now() + kLinger;
  }
}

void HttpConnection::OnClosed(const Status&) {
  const bool may_answer = state_ == State::kReading || state_ == State::kHandling;
  if (!transport_->half_closed() || peer_finished_ || !may_answer) return Close();
  peer_finished_ = true;
  if (state_ == State::kReading) ReadRequests();
}

// Runs after the transport's own flush, which was asked for earlier in the turn.
void HttpConnection::OnTurnEnd() {
  if (state_ == State::kReading) {
    // When the kernel did not take the answers either, OnDrained() will come.
    if (transport_->unsent_bytes() <= kUnsentBytesMax) ReadRequests();
  } else if (state_ == State::kLingering && peer_finished_ && transport_->unsent_bytes() == 0) {
    Close();
  }
}

void HttpConnection::ReadRequests() {
  while (state_ == State::kReading) {
    if (transport_->unsent_bytes() > kUnsentBytesMax) {
      // Perhaps only because this turn's answers have not been flushed yet.
      return server_.loop.AtTurnEnd(*this, Phase::kFlush);
    }
    if (!ReadSome()) break;
  }
  if (state_ == State::kReading && peer_finished_) OnInputEnded();
}

bool HttpConnection::ReadSome() {
  evbuffer* input = transport_->input();
  const size_t length = evbuffer_get_length(input);
  if (length == 0 || length < parser_.bytes_wanted()) return false;
  if (!begun_) {
    begun_ = true;
    request_.arrived = server_.loop.clock().Now();
    deadline_ = request_.arrived + server_.limits.head_deadline;
  }
  const bool head_was_open = !parser_.in_body();
  const auto* bytes = reinterpret_cast<const char*>(evbuffer_pullup(input, -1));
  switch (parser_.Feed({bytes, length})) {
    case HttpProgress::kComplete:
      Dispatch();
      return true;
    case HttpProgress::kRefused:
      Refuse(parser_.refusal());
      return false;
    case HttpProgress::kNeedMore:
      transport_->Drain(parser_.consumed());
      if (parser_.in_body()) OnBodyAwaited(head_was_open);
      return state_ == State::kReading && parser_.consumed() > 0;
  }
  return false;
}

void HttpConnection::OnBodyAwaited(bool head_just_ended) {
  CountReceiving(parser_.body_bytes_held());
  if (server_.receiving_bytes > server_.limits.receiving_bytes_max) {
    return Refuse({503, "receiving_too_much"});
  }
  if (!head_just_ended) return;
  body_began_ = server_.loop.clock().Now();
  if (parser_.bytes_wanted() > server_.limits.head_bytes_max) {
    input_raised_ = true;
    transport_->LimitInput(parser_.bytes_wanted());
  }
  if (parser_.continue_expected()) Write("HTTP/1.1 100 Continue\r\n\r\n");
}

void HttpConnection::Dispatch() {
  CountReceiving(0);
  request_.method = parser_.method();
  request_.path = parser_.path();
  request_.query = parser_.query();
  request_.headers = parser_.headers();
  request_.body = parser_.body();
  state_ = State::kHandling;
  ++server_.in_flight;
  server_.handler(HttpExchange(this));
}

// The client will send no more. It may have half a request in our hands, or wait for answers.
void HttpConnection::OnInputEnded() {
  if (begun_) {
    Refuse({400, "truncated"});
  } else if (transport_->unsent_bytes() == 0) {
    Close();
  } else {
    BeginLinger();
  }
}

void HttpConnection::Answer(const HttpAnswer& answer) {
  RELAY_CHECK(state_ == State::kHandling);
  exchange_->connection_ = nullptr;
  exchange_ = nullptr;
  --server_.in_flight;
  const bool stays = parser_.keep_alive() && !answer.close && !server_.stopping;
  HttpPersistence persistence = HttpPersistence::kCloses;
  if (stays) {
    persistence = parser_.http_1_0() ? HttpPersistence::kStaysSaidAloud : HttpPersistence::kStays;
  }
  server_.answer.clear();
  ComposeHttpAnswer(answer, parser_.method() == "HEAD", persistence, &server_.answer);
  Write(server_.answer);
  EndRequest();
  if (!stays) return BeginLinger();
  state_ = State::kReading;
  deadline_ = server_.loop.clock().Now() + server_.limits.idle;
  // The next request is not handed out from inside this call. When the handler answered at once,
  // the loop in ReadRequests() comes to it first, and this turn's end finds nothing to do.
  if (peer_finished_ || evbuffer_get_length(transport_->input()) > 0) {
    server_.loop.AtTurnEnd(*this, Phase::kFlush);
  }
}

void HttpConnection::EndRequest() {
  transport_->Drain(parser_.consumed());
  parser_.Reset();
  begun_ = false;
  if (std::exchange(input_raised_, false)) {
    transport_->LimitInput(server_.limits.head_bytes_max);
  }
}

// The exchange died without an answer: the client must not wait for one.
void HttpConnection::Abandon() {
  Close();
}

void HttpConnection::Refuse(const HttpRefusal& refusal) {
  server_.on_refused(refusal.reason, refusal.status);
  const std::string body = HttpErrorBody(refusal.status, refusal.reason);
  HttpAnswer answer;
  answer.status = refusal.status;
  answer.body = body;
  if (refusal.status == 405) answer.extra_headers = "Allow: GET, HEAD, POST\r\n";
  server_.answer.clear();
  ComposeHttpAnswer(answer, parser_.method() == "HEAD", HttpPersistence::kCloses, &server_.answer);
  Write(server_.answer);
  CountReceiving(0);
  BeginLinger();
}

void HttpConnection::Write(std::string_view bytes) {
  evbuffer_add(transport_->output(), bytes.data(), bytes.size());
  transport_->Flush();
}

// Closing at once would make the kernel send a reset if the client is still sending, and a reset
// can take the answer out of the client's hands before it has read it (RFC 9112, section 9.6).
void HttpConnection::BeginLinger() {
  state_ = State::kLingering;
  deadline_ = server_.loop.clock().Now() + kLinger;
  transport_->ShutdownAfterWrite();
  if (peer_finished_) server_.loop.AtTurnEnd(*this, Phase::kFlush);
  transport_->Drain(evbuffer_get_length(transport_->input()));
}

// What a lingering client still sends. It gets no more than a bound of our time either way.
void HttpConnection::Discard() {
  const size_t length = evbuffer_get_length(transport_->input());
  transport_->Drain(length);
  discarded_ += length;
  if (discarded_ > kLingerBytesMax) Close();
}

void HttpConnection::Sweep(MonoTime now) {
  if (state_ == State::kReading && parser_.in_body()) {
    if (BodyTooSlow(now)) Refuse({408, "body_too_slow"});
    return;
  }
  if (state_ == State::kHandling || now < deadline_) return;
  if (state_ == State::kReading && begun_) return Refuse({408, "head_too_slow"});
  // A last answer that is large may take its time on a slow line, as one that is not the last may.
  const bool sending = state_ == State::kLingering && transport_->unsent_bytes() > 0;
  if (sending && now < deadline_ + server_.limits.idle) return;
  Close();
}

bool HttpConnection::BodyTooSlow(MonoTime now) {
  const Micros since = now - body_began_;
  if (since <= server_.limits.body_grace) return false;
  const size_t come =
      parser_.chunked() ? parser_.body_bytes_held() : evbuffer_get_length(transport_->input());
  const double seconds = std::chrono::duration<double>(since).count();
  return static_cast<double>(come) < seconds * server_.limits.body_rate_min;
}

void HttpConnection::CloseIfIdle() {
  if (state_ != State::kReading || begun_) return;
  if (transport_->unsent_bytes() == 0) {
    Close();
  } else {
    BeginLinger();
  }
}

void HttpConnection::CountReceiving(size_t bytes) {
  server_.receiving_bytes += bytes;
  server_.receiving_bytes -= receiving_;
  receiving_ = bytes;
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kHandling) {
    exchange_->connection_ = nullptr;
    exchange_ = nullptr;
    --server_.in_flight;
  }
  CountReceiving(0);
  state_ = State::kClosed;
  transport_.reset();
  server_.Remove(*this);
}

}  // namespace relay

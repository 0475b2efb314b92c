#include "cli/simulate_connection.h"

#include <event2/buffer.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

constexpr Millis kPauseMin(50);
constexpr Millis kPauseMax(1000);
constexpr size_t kHeadBytesMax = 16 * 1024;

bool SameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename T>
bool ParseWhole(std::string_view text, T* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<AnswerHead> ParseAnswerHead(std::string_view head) {
  AnswerHead out;
  // "HTTP/1.1 200 OK"
  if (head.size() < 12 || !head.starts_with("HTTP/1.") ||
      !ParseWhole(head.substr(9, 3), &out.status)) {
    return Status::InvalidArgument("the answer does not begin as HTTP/1.1 does");
  }
  size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const size_t end = head.find("\r\n", at);
    if (end == std::string_view::npos || end == at) break;
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = Trimmed(line.substr(colon + 1));
    if (SameWord(name, "content-length") && !ParseWhole(value, &out.content_length)) {
      return Status::InvalidArgument("the answer has a bad Content-Length");
    }
    if (SameWord(name, "transfer-encoding")) {
      return Status::InvalidArgument("the answer is chunked, which is not understood here");
    }
    if (SameWord(name, "connection")) out.close = SameWord(value, "close");
  }
  return out;
}

ProviderConnection::ProviderConnection(SystemLoop& loop, SocketAddress to, std::string head,
                                       int index, Observer& observer)
    : loop_(loop),
      to_(std::move(to)),
      head_(std::move(head)),
      index_(index),
      observer_(observer),
      timer_(loop.NewTimer([this] { OnTimer(); })),
      pause_(kPauseMin) {}

ProviderConnection::~ProviderConnection() = default;

void ProviderConnection::Open() {
  RELAY_CHECK(state_ == State::kDown);
  state_ = State::kConnecting;
  auto transport = Transport::Connect(loop_, to_, *this);
  if (!transport.ok()) {
    // Told from the loop, like a failure that comes later: never from inside this call.
    connect_failure_ = transport.status();
    timer_->Arm(Micros(0));
    return;
  }
  transport_ = std::move(*transport);
}

void ProviderConnection::OnTimer() {
  if (state_ == State::kConnecting) {
    GoDown(connect_failure_);
  } else {
    Open();
  }
}

void ProviderConnection::Send(std::string_view headers, std::string_view body) {
  RELAY_CHECK(ready());
  state_ = State::kHead;
  char digits[24];
  char* end = std::to_chars(digits, digits + 20, body.size()).ptr;
  end = std::copy_n("\r\n", 2, end);
  evbuffer* out = transport_->output();
  evbuffer_add(out, head_.data(), head_.size());
  evbuffer_add(out, digits, static_cast<size_t>(end - digits));
  if (!headers.empty()) evbuffer_add(out, headers.data(), headers.size());
  evbuffer_add(out, "\r\n", 2);
  evbuffer_add(out, body.data(), body.size());
  transport_->Flush();
}

void ProviderConnection::Cut(const Status& why) {
  if (up()) GoDown(why);
}

void ProviderConnection::OnConnected() {
  RELAY_CHECK(state_ == State::kConnecting);
  state_ = State::kReady;
  pause_ = kPauseMin;
  observer_.OnReady(*this);
}

void ProviderConnection::OnReadable() {
  if (state_ == State::kReady) {
    GoDown(Status::InvalidArgument("an answer came that nobody had asked for"));
    return;
  }
  bool more = true;
  while (more && outstanding()) more = state_ == State::kHead ? ReadHead() : SkipBody();
}

bool ProviderConnection::ReadHead() {
  evbuffer* in = transport_->input();
  const size_t bytes = evbuffer_get_length(in);
  if (bytes == 0) return false;
  const std::string_view text(reinterpret_cast<const char*>(evbuffer_pullup(in, -1)), bytes);
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes > kHeadBytesMax) GoDown(Status::InvalidArgument("the answer's head has no end"));
    return false;
  }
  const Result<AnswerHead> head = ParseAnswerHead(text.substr(0, end + 4));
  if (!head.ok()) {
    GoDown(head.status());
    return false;
  }
  transport_->Drain(end + 4);
  if (head.value().status < 200) return true;  // 100 Continue and its kin: the answer follows.
  status_ = head.value().status;
  body_left_ = head.value().content_length;
  close_after_ = head.value().close;
  state_ = State::kBody;
  return true;
}

bool ProviderConnection::SkipBody() {
  evbuffer* in = transport_->input();
  const size_t bytes = std::min(body_left_, evbuffer_get_length(in));
  transport_->Drain(bytes);
  body_left_ -= bytes;
  if (body_left_ > 0) return false;
  FinishAnswer();
  return false;
}

void ProviderConnection::FinishAnswer() {
  state_ = close_after_ ? State::kClosing : State::kReady;
  observer_.OnAnswer(*this, status_);
  if (close_after_) {
    GoDown(Status::Unavailable("closed after an answer"));
    return;
  }
  observer_.OnReady(*this);
}

void ProviderConnection::OnClosed(const Status& why) {
  if (state_ == State::kDown) return;  // Cut by us in this very turn.
  GoDown(why);
}

void ProviderConnection::GoDown(const Status& why) {
  const bool was_outstanding = outstanding();
  const bool announced = state_ == State::kClosing;
  state_ = State::kDown;
  loop_.DeferDelete(std::move(transport_));
  timer_->Arm(announced ? Millis(0) : pause_);
  if (!announced) pause_ = std::min(pause_ * 2, kPauseMax);
  observer_.OnDown(*this, why, was_outstanding);
}

}  // namespace relay

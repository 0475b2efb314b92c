#include "workers/curl_transfer.h"

#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

constexpr long kConnectionSecondsMax = 60;  // Then the name is vetted anew.
constexpr long kIdleSecondsMax = 15;
constexpr long kReadBufferBytes = 4096;  // Answers are small; libcurl's default is 16 KiB each.

// Options are ours, not a peer's: one that libcurl refuses is a broken invariant.
template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  RELAY_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

Micros TimeOf(CURL* easy, CURLINFO what) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, what, &us);
  return Micros(us);
}

bool SameAddress(const curl_sockaddr& given, const IpAddress& vetted) {
  if (given.family == AF_INET && !vetted.v6) {
    sockaddr_in v4;
    std::memcpy(&v4, &given.addr, sizeof v4);
    return ntohl(v4.sin_addr.s_addr) == vetted.v4_value();
  }
  if (given.family == AF_INET6 && vetted.v6) {
    // libcurl keeps room for every family's address behind `addr`.
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&given.addr);
    return std::memcmp(&v6->sin6_addr, vetted.bytes.data(), vetted.bytes.size()) == 0;
  }
  return false;
}

int StatusOf(std::string_view status_line) {
  int status = 0;
  const size_t blank = status_line.find(' ');
  if (blank != std::string_view::npos) {
    std::from_chars(status_line.data() + blank + 1, status_line.data() + status_line.size(),
                    status);
  }
  return status;
}

// The value when `line` is the header Retry-After; otherwise empty.
std::string_view RetryAfterOf(std::string_view line) {
  constexpr std::string_view kName = "retry-after:";
  if (line.size() <= kName.size() || strncasecmp(line.data(), kName.data(), kName.size()) != 0) {
    return {};
  }
  line.remove_prefix(kName.size());
  const size_t begin = line.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

void CurlHeaderList::Assign(std::string lines, curl_slist* next) {
  text_ = std::move(lines);
  next_ = next;
  nodes_.clear();
  for (size_t begin = 0; begin < text_.size();) {
    const size_t end = text_.find('\n', begin);
    RELAY_CHECK(end != std::string::npos);
    text_[end] = '\0';
    nodes_.push_back({&text_[begin], nullptr});
    begin = end + 1;
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].next = i + 1 < nodes_.size() ? &nodes_[i + 1] : next;
  }
}

CurlTransfer::CurlTransfer(const CurlHttpClient::Limits& limits, void* socket_owner,
                           CloseSocket close_socket)
    : limits_(limits), easy_(curl_easy_init()) {
  RELAY_CHECK(easy_);
  // A name without a value takes libcurl's own header out: waiting for "100 Continue" is a round
  // trip that no receiver of webhooks needs.
  no_expect_.data = no_expect_text_;
  SetOptions(socket_owner, close_socket);
}

// What holds for every request.
void CurlTransfer::SetOptions(void* socket_owner, CloseSocket close_socket) {
  CURL* easy = easy_.get();
  Set(easy, CURLOPT_PRIVATE, this);
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  Set(easy, CURLOPT_PROXY, "");  // Keeps http_proxy and all_proxy of the environment out, too.
  Set(easy, CURLOPT_NOPROXY, "*");
  Set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  Set(easy, CURLOPT_PATH_AS_IS, 1L);
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  Set(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_TCP_NODELAY, 1L);
  Set(easy, CURLOPT_BUFFERSIZE, kReadBufferBytes);
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_timeout.count()));
  Set(easy, CURLOPT_MAXLIFETIME_CONN, kConnectionSecondsMax);
  Set(easy, CURLOPT_MAXAGE_CONN, kIdleSecondsMax);
  Set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  Set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // The authorities come from one file alone. Beside a folder of certificates, which Debian's
  // libcurl has by default, it would read that file anew for each connection, for a good 20 ms, and
  // trust the system's authorities even where conf names others.
  Set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!limits_.tls_ca.empty()) Set(easy, CURLOPT_CAINFO, limits_.tls_ca.c_str());
  Set(easy, CURLOPT_POST, 1L);
  Set(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::TakeHeadLine);
  Set(easy, CURLOPT_HEADERDATA, this);
  Set(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::TakeBody);
  Set(easy, CURLOPT_WRITEDATA, this);
  Set(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::OpenSocket);
  Set(easy, CURLOPT_OPENSOCKETDATA, this);
  Set(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  Set(easy, CURLOPT_CLOSESOCKETDATA, socket_owner);
}

CurlTransfer& CurlTransfer::Of(CURL* easy) {
  char* self = nullptr;
  RELAY_CHECK(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self) == CURLE_OK && self);
  return *reinterpret_cast<CurlTransfer*>(self);
}

void CurlTransfer::Begin(HttpPost post, HttpClient::Done done) {
  if (route_ != post.route) SetRoute(std::move(post.route));
  if (pin_.empty() || address_ != post.address) SetAddress(post.address);
  post_headers_.Assign(std::move(post.headers), route_headers_.first());
  Set(easy(), CURLOPT_HTTPHEADER, post_headers_.first());
  Set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  Set(easy(), CURLOPT_POSTFIELDS, post.body.data() ? post.body.data() : "");
  Set(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(post.timeout.count()));

  done_ = std::move(done);
  reply_ = HttpReply();
  answer_kept_ = post.answer_kept;
  answer_bytes_ = head_bytes_ = 0;
  informational_ = status_seen_ = 0;
  head_too_large_ = answer_cut_ = false;
}

void CurlTransfer::SetRoute(std::shared_ptr<const HttpRoute> route) {
  route_ = std::move(route);
  Set(easy(), CURLOPT_URL, route_->url.ToString().c_str());
  route_headers_.Assign(route_->headers, &no_expect_);
}

// The pin: "whatever host and port: this address and the same port". Unlike an entry in libcurl's
// name cache it is part of a connection's identity, so a connection to an address that the name no
// longer has is not used again.
void CurlTransfer::SetAddress(const IpAddress& address) {
  address_ = address;
  pin_ = address.v6 ? "::[" + address.ToString() + "]:" : "::" + address.ToString() + ":";
  pin_node_.data = pin_.data();
  Set(easy(), CURLOPT_CONNECT_TO, &pin_node_);
}

std::pair<HttpClient::Done, HttpReply> CurlTransfer::End(CURLcode code) {
  reply_.error = ClassOf(code);
  reply_.answer_whole = code == CURLE_OK && answer_bytes_ == reply_.answer.size();
  reply_.total = TimeOf(easy(), CURLINFO_TOTAL_TIME_T);
  long connects = 0;
  curl_easy_getinfo(easy(), CURLINFO_NUM_CONNECTS, &connects);
  reply_.connection_reused = connects == 0 && reply_.status != 0;
  // libcurl counts each from the start of the transfer; 0 is what was not reached.
  const Micros connected = TimeOf(easy(), CURLINFO_CONNECT_TIME_T);
  const Micros secured = TimeOf(easy(), CURLINFO_APPCONNECT_TIME_T);
  const Micros answered = TimeOf(easy(), CURLINFO_STARTTRANSFER_TIME_T);
  if (connects > 0) {
    reply_.connect = connected;
    reply_.tls = std::max(secured - connected, Micros(0));
  }
  if (reply_.status != 0) {
    reply_.first_byte = std::max(answered - std::max(connected, secured), Micros(0));
  }
  return {std::exchange(done_, nullptr), std::move(reply_)};
}

void CurlTransfer::Drop() {
  done_ = nullptr;
  reply_ = HttpReply();
}

// The second wall behind the pin: whatever libcurl made of URL and pin, no other address is
// dialled.
curl_socket_t CurlTransfer::OpenSocket(void* self, curlsocktype purpose,
                                       curl_sockaddr* address) noexcept {
  if (purpose != CURLSOCKTYPE_IPCXN ||
      !SameAddress(*address, static_cast<CurlTransfer*>(self)->address_)) {
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Taking less than was given ends the transfer and closes its connection.
size_t CurlTransfer::TakeHeadLine(char* bytes, size_t size, size_t count, void* self) noexcept {
  const bool go_on = static_cast<CurlTransfer*>(self)->OnHeadLine({bytes, size * count});
  return go_on ? size * count : 0;
}

size_t CurlTransfer::TakeBody(char* bytes, size_t size, size_t count, void* self) noexcept {
  const bool go_on = static_cast<CurlTransfer*>(self)->OnBody({bytes, size * count});
  return go_on ? size * count : 0;
}

// Status lines, headers and the blank line after them; later the trailers of a chunked body, too.
bool CurlTransfer::OnHeadLine(std::string_view line) {
  head_bytes_ += line.size();
  if (reply_.status == 0) {
    if (line.substr(0, 5) == "HTTP/") {
      status_seen_ = StatusOf(line);
      if (status_seen_ < 200) ++informational_;
    } else if (line == "\r\n" || line == "\n") {
      if (status_seen_ >= 200) reply_.status = status_seen_;
    } else if (const std::string_view value = RetryAfterOf(line); !value.empty()) {
      reply_.retry_after = value;
    }
  }
  head_too_large_ =
      head_bytes_ > limits_.answer_head_max || informational_ > limits_.informational_max;
  return !head_too_large_;
}

bool CurlTransfer::OnBody(std::string_view bytes) {
  const size_t room = answer_kept_ - reply_.answer.size();
  reply_.answer.append(bytes.substr(0, room));
  answer_bytes_ += bytes.size();
  answer_cut_ = answer_bytes_ > limits_.answer_max;
  return !answer_cut_;
}

HttpError CurlTransfer::ClassOf(CURLcode code) const {
  if (head_too_large_) return HttpError::kTooLarge;
  if (answer_cut_) return HttpError::kNone;
  switch (code) {
    case CURLE_OK:
      return reply_.status ? HttpError::kNone : HttpError::kUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpError::kTimedOut;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
      return HttpError::kTlsFailed;
    default:
      return HttpError::kUnreachable;
  }
}

}  // namespace relay

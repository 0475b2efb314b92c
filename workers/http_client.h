#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "relay/event_loop.h"
#include "relay/ip_address.h"
#include "relay/status.h"
#include "relay/url.h"

namespace relay {

// What stays the same from one request to the next of an endpoint. Shared by its requests and by
// the connections set up for it, because neither knows which of them ends last.
struct HttpRoute {
  Url url;
  std::string headers;  // "name: value\n" each. No header twice, here or in HttpPost::headers.
};

// One POST to be sent.
struct HttpPost {
  std::shared_ptr<const HttpRoute> route;
  IpAddress address;      // Vetted. The connection goes there and nowhere else; the name in the URL
                          // still stands in Host, in SNI and in the certificate check.
  std::string headers;    // "name: value\n" each: those of this request alone.
  std::string_view body;  // Borrowed until the callback or the end of the handle.
  Millis timeout{15000};  // From the call to the last byte of the answer.
  size_t answer_kept = 1024;  // Bytes of the answer's body to hand back.
};

// What went wrong on the way. A coarse class on purpose: it is what a customer may see.
enum class HttpError {
  kNone,
  kTimedOut,
  kUnreachable,  // Refused, reset, closed too early, or an answer that is no HTTP.
  kTlsFailed,    // No handshake, or a certificate that does not hold.
  kTooLarge,     // The head of the answer went over its limit.
};

struct HttpReply {
  HttpError error = HttpError::kNone;
  // The final status, once the whole head has come; 0 before. It stands whatever happens to the
  // body afterwards: an answer has been given.
  int status = 0;
  std::string answer;         // The beginning of the body, as it came on the wire.
  bool answer_whole = false;  // The body ended properly, and `answer` is all of it.
  std::string retry_after;    // The header's value; empty when there is none.
  Micros connect{0};          // TCP, and
  Micros tls{0};              // the handshake; both 0 on a kept connection.
  Micros first_byte{0};       // From the connection's standing to the answer's first byte, or 0.
  Micros total{0};
  bool connection_reused = false;
};

// A request under way. Destroying it aborts the request; its callback then does not come.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
};

// The seam to the outside world: sends webhooks. Redirects are an answer like any other. `done` is
// called once, never from inside Post(). The handle may be destroyed inside its own callback. The
// client outlives its calls.
class HttpClient {
 public:
  using Done = std::function<void(HttpReply)>;
  virtual ~HttpClient() = default;
  virtual std::unique_ptr<HttpCall> Post(HttpPost post, Done done) = 0;
};

// The HttpClient of the worker: libcurl multi on the loop, HTTP/1.1 with kept connections.
//
// A connection belongs to one scheme, name, port and vetted address; it is used for at most 60 s,
// so that a name is vetted anew, and never after 15 s of idleness, after leftovers of an answer, or
// for another address. No redirects, no proxies, no cookies, no decompression, no HTTP/0.9; TLS 1.2
// at least, peer and name verified. Where a kept connection turns out dead before a byte of the
// answer, libcurl sends the request once more on a new one: the receiver knows it by its id.
//
// `loop` outlives it. Loop thread only.
class CurlHttpClient final : public HttpClient {
 public:
  struct Limits {
    Millis connect_timeout{5000};
    size_t answer_head_max = 16 * 1024;
    size_t answer_max = 64 * 1024;  // Read at most; a longer body ends the connection.
    int informational_max = 4;      // 1xx heads before the answer.
    long connections_kept_max = 10000;
    size_t handles_kept_max = 2000;  // Idle libcurl handles, about 7 KB each.
    std::string tls_ca;              // A file of certificates instead of the system's.
  };

  CurlHttpClient(SystemLoop& loop, Limits limits);
  ~CurlHttpClient() override;

  std::unique_ptr<HttpCall> Post(HttpPost post, Done done) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/http_chunks.h"
#include "relay/http_request.h"

namespace relay {

struct HttpParserLimits {
  size_t head_bytes_max = 16 * 1024;  // Request line and headers with all line ends.
  int headers_max = 64;
  size_t body_bytes_max = 1024 * 1024;
};

// A strict HTTP/1.1 request parser (RFC 9112), pure: bytes in, one request or one refusal out. It
// accepts the smallest set of requests that real clients send; what another server could read in
// another way is refused, because a proxy may stand before us. The grammar, in short:
//
//   * lines end in CRLF; at most one empty line before the request line
//   * GET, HEAD or POST (other methods of RFC 9110 and PATCH 405, unknown ones 501), a target in
//     origin form of visible ASCII without '#', at most 4 KiB (414), HTTP/1.1 or HTTP/1.0 (505)
//   * header names are tokens that end at the colon; values are visible ASCII, space, tab and
//     bytes over 0x7f; no folded lines; no Content_Length or Transfer_Encoding
//   * exactly one Host in HTTP/1.1, at most one in 1.0, as host or host:port
//   * at most one Content-Length of 1 to 10 digits; Transfer-Encoding only as "chunked", once,
//     never beside Content-Length, never in 1.0; another coding is 501
//   * Expect only as 100-continue (417); Connection as a list of tokens
//
// The result is the same for every split of the bytes, and so is the number of bytes consumed.
// There is no allocation a request once the first few have grown the buffers.
//
// Use: Feed() with all bytes not consumed yet; drop consumed() bytes after kNeedMore, and after
// kComplete once the request is no longer looked at; then Reset() for the next request.
class HttpParser {
 public:
  static constexpr size_t kTargetBytesMax = 4096;

  explicit HttpParser(HttpParserLimits limits);
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  // `bytes` begins at the first byte that was not consumed. It may lie elsewhere at each call, but
  // must stay where it is after kComplete for as long as the request is looked at. After kComplete
  // or kRefused only Reset() may follow.
  HttpProgress Feed(std::string_view bytes);
  // How many bytes of the last Feed() are done with. After kRefused it means nothing.
  size_t consumed() const { return consumed_; }
  // Feed() can get no further with fewer bytes than this.
  size_t bytes_wanted() const { return bytes_wanted_; }
  // Begins the next request. Storage above 64 KiB is given back.
  void Reset();

  // True from the end of a head whose body is still to come.
  bool in_body() const { return stage_ == Stage::kLength || stage_ == Stage::kChunks; }
  // In a body: what must be held of it at once; its whole length, or what has been decoded so far
  // when it comes in chunks.
  size_t body_bytes_held() const;
  bool chunked() const { return chunked_; }
  // In a body, after the Feed() that ended the head: the client waits for "100 Continue" before it
  // sends its body.
  bool continue_expected() const { return expects_continue_; }

  // After kComplete, into the bytes of the last Feed() or into the parser; until Reset().
  std::string_view method() const { return method_; }
  std::string_view path() const { return path_; }
  std::string_view query() const { return query_; }
  std::span<const HttpHeader> headers() const { return headers_; }
  std::string_view body() const { return body_; }
  bool http_1_0() const { return http_1_0_; }
  // Whether the client wants the connection to stay.
  bool keep_alive() const { return !asked_to_close_ && (!http_1_0_ || asked_to_stay_); }

  // After kRefused.
  const HttpRefusal& refusal() const { return refusal_; }

 private:
  enum class Stage { kHead, kLength, kChunks, kComplete, kRefused };

  bool ScanHead(std::string_view bytes);
  bool OnLineEnd(std::string_view bytes, size_t line_end);
  bool ParseRequestLine(std::string_view line);
  bool ParseVersion(std::string_view version);
  bool ParseMethod(std::string_view method);
  bool ParseTarget(std::string_view target);
  bool ParseHeaders(std::string_view head);
  bool ParseHeader(std::string_view line);
  bool OnSpecialHeader(std::string_view name, std::string_view value);
  bool OnContentLength(std::string_view value);
  bool OnTransferEncoding(std::string_view value);
  bool OnHost(std::string_view value);
  bool OnExpect(std::string_view value);
  bool OnConnection(std::string_view value);
  bool CheckHead();
  HttpProgress FeedHead(std::string_view bytes);
  HttpProgress FeedLength(std::string_view bytes);
  HttpProgress FeedChunks(std::string_view bytes, size_t at);
  HttpProgress Complete(size_t consumed);
  void KeepHead(std::string_view head);
  bool Refuse(int status, std::string_view reason);

  const HttpParserLimits limits_;
  Stage stage_ = Stage::kHead;
  HttpRefusal refusal_;
  size_t consumed_ = 0;
  size_t bytes_wanted_ = 1;

  // The head is looked through once, as its bytes come, for line ends and forbidden bytes; its
  // headers are parsed when it is whole. Offsets, because the bytes may move between calls.
  size_t scanned_ = 0;
  size_t line_start_ = 0;
  size_t head_start_ = 0;  // 2 when an empty line came first.
  size_t fields_start_ = 0;
  int lines_ = 0;

  std::string_view method_;
  std::string_view path_;
  std::string_view query_;
  std::vector<HttpHeader> headers_;
  std::string_view body_;
  bool http_1_0_ = false;
  bool asked_to_close_ = false;
  bool asked_to_stay_ = false;
  bool expects_continue_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool has_host_ = false;
  size_t content_length_ = 0;

  std::string kept_head_;  // The head of a request whose body came later.
  HttpChunks chunks_;
};

}  // namespace relay

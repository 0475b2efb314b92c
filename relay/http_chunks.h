#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

// What a server answers to bytes that are not a request: a status, and one stable lower-case word
// that stands in the answer and labels the metric. The words are literals and live for ever.
struct HttpRefusal {
  int status = 0;
  std::string_view reason;
};

// How a parser stands after it was given bytes.
enum class HttpProgress {
  kNeedMore,  // all is well so far
  kComplete,  // the request, or its body, has come whole
  kRefused,   // see refusal(); nothing more is read
};

// Takes the chunked transfer coding (RFC 9112, section 7.1) off a body, incrementally and with the
// same result for every split of the bytes. Stricter than the RFC: no white space around a chunk
// size, and bounds on all that is not body. Extensions and trailers are checked, then dropped.
class HttpChunks {
 public:
  static constexpr size_t kSizeDigitsMax = 8;
  static constexpr size_t kExtensionBytesMax = 256;  // Of one chunk.
  static constexpr size_t kExtensionsBytesMax = 4096;
  static constexpr size_t kTrailerBytesMax = 4096;

  // A body of more than `body_bytes_max` bytes is refused with 413.
  explicit HttpChunks(size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Begins a new body.
  void Reset();
  // Reads from `bytes`, which follow those of the last call; consumed() says how many of them.
  // Fewer than all are consumed only when the body is complete or refused.
  HttpProgress Feed(std::string_view bytes);
  size_t consumed() const { return consumed_; }
  // What has been decoded. The storage is kept from body to body.
  const std::string& body() const { return body_; }
  const HttpRefusal& refusal() const { return refusal_; }
  // Gives back storage of more than `bytes` bytes.
  void ShrinkTo(size_t bytes);

 private:
  enum class State { kSizeLine, kBody, kBodyEnd, kTrailerLine, kDone, kRefused };

  size_t ReadLine(std::string_view bytes);
  void OnLine();
  void OnSizeLine();
  void OnTrailerLine();
  size_t ReadBody(std::string_view bytes);
  size_t ReadBodyEnd(std::string_view bytes);
  void Refuse(int status, std::string_view reason);

  const size_t body_bytes_max_;
  State state_ = State::kSizeLine;
  HttpRefusal refusal_;
  size_t consumed_ = 0;
  size_t chunk_left_ = 0;
  size_t body_end_seen_ = 0;  // Bytes of the CRLF after a chunk that have come.
  size_t extensions_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  std::string line_;  // The size or trailer line so far, without its CRLF; bounded by the limits.
  bool line_cr_ = false;
  std::string body_;
};

}  // namespace relay

#include "relay/http_parser.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "relay/ascii.h"
#include "relay/check.h"
#include "relay/http_grammar.h"

namespace relay {

namespace {

// A buffer that one large request has grown is not kept for the small ones that follow.
constexpr size_t kStorageKept = 64 * 1024;
constexpr size_t kLengthDigitsMax = 10;

constexpr std::string_view kMethods[] = {"POST", "GET", "HEAD"};
// Known, so that the answer can be 405 with the methods that are allowed; anything else is 501.
constexpr std::string_view kOtherMethods[] = {"PUT",     "DELETE", "OPTIONS",
                                              "CONNECT", "TRACE",  "PATCH"};

// The first place in [at, end) of a byte below 0x20 or of 0x7f; `end` when there is none. Eight
// bytes at a time: this is the only loop that touches every byte of a head.
size_t FindControl(std::string_view bytes, size_t at, size_t end) {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHighs = kOnes * 0x80;
    for (; at + 8 <= end; at += 8) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, sizeof(word));
      // Each term has the high bit of a byte set where the byte is below 0x20, or is 0x7f. A borrow
      // can set it wrongly only above a byte where it is set rightly, and we use the lowest one.
      const uint64_t dels = word ^ (kOnes * 0x7f);
      const uint64_t hits = (((word - kOnes * 0x20) & ~word) | ((dels - kOnes) & ~dels)) & kHighs;
      if (hits != 0) return at + static_cast<size_t>(std::countr_zero(hits)) / 8;
    }
  }
  while (at < end && static_cast<uint8_t>(bytes[at]) >= 0x20 && bytes[at] != 0x7f) ++at;
  return at;
}

}  // namespace

HttpParser::HttpParser(HttpParserLimits limits) : limits_(limits), chunks_(limits.body_bytes_max) {}

void HttpParser::Reset() {
  stage_ = Stage::kHead;
  refusal_ = {};
  consumed_ = 0;
  bytes_wanted_ = 1;
  scanned_ = line_start_ = head_start_ = fields_start_ = 0;
  lines_ = 0;
  method_ = path_ = query_ = body_ = {};
  headers_.clear();
  http_1_0_ = asked_to_close_ = asked_to_stay_ = expects_continue_ = false;
  if (chunked_) {
    chunks_.Reset();
    chunks_.ShrinkTo(kStorageKept);
  }
  chunked_ = has_length_ = has_host_ = false;
  content_length_ = 0;
}

size_t HttpParser::body_bytes_held() const {
  return chunked_ ? chunks_.body().size() : content_length_;
}

bool HttpParser::Refuse(int status, std::string_view reason) {
  stage_ = Stage::kRefused;
  refusal_ = {status, reason};
  return false;
}

HttpProgress HttpParser::Complete(size_t consumed) {
  stage_ = Stage::kComplete;
  consumed_ = consumed;
  return HttpProgress::kComplete;
}

HttpProgress HttpParser::Feed(std::string_view bytes) {
  consumed_ = 0;
  switch (stage_) {
    case Stage::kHead:
      return FeedHead(bytes);
    case Stage::kLength:
      return FeedLength(bytes);
    case Stage::kChunks:
      return FeedChunks(bytes, 0);
    case Stage::kComplete:
    case Stage::kRefused:
      break;
  }
  RELAY_CHECK(!"Feed() after the end of a request");
  return HttpProgress::kRefused;
}

// ---- The head

HttpProgress HttpParser::FeedHead(std::string_view bytes) {
  if (!ScanHead(bytes)) {
    if (stage_ == Stage::kRefused) return HttpProgress::kRefused;
    bytes_wanted_ = bytes.size() + 1;
    return HttpProgress::kNeedMore;
  }
  const std::string_view head = bytes.substr(0, scanned_);
  if (!ParseHeaders(head) || !CheckHead()) return HttpProgress::kRefused;
  // A client that has begun to send its body does not wait.
  if (bytes.size() > head.size()) expects_continue_ = false;

  if (chunked_) {
    stage_ = Stage::kChunks;
    const HttpProgress progress = FeedChunks(bytes, head.size());
    if (progress == HttpProgress::kNeedMore) KeepHead(head);
    return progress;
  }
  if (bytes.size() - head.size() >= content_length_) {
    body_ = bytes.substr(head.size(), content_length_);
    return Complete(head.size() + content_length_);
  }
  KeepHead(head);
  stage_ = Stage::kLength;
  consumed_ = head.size();
  bytes_wanted_ = content_length_;
  return HttpProgress::kNeedMore;
}

// Goes on looking for line ends where the last call stopped. True when the head is whole; false
// when it is not, or when it is refused.
bool HttpParser::ScanHead(std::string_view bytes) {
  const size_t end = std::min(bytes.size(), limits_.head_bytes_max);
  for (;;) {
    scanned_ = FindControl(bytes, scanned_, end);
    // A CR in the last byte that the head may have cannot be followed by its LF.
    if (scanned_ + 1 >= limits_.head_bytes_max) {
      return lines_ == 0 ? Refuse(414, "target_too_long") : Refuse(431, "head_too_large");
    }
    if (scanned_ == end) return false;
    const char c = bytes[scanned_];
    if (c == '\t') {
      ++scanned_;
      continue;
    }
    if (c == '\n') return Refuse(400, "line_end");
    if (c != '\r') return Refuse(400, "control_byte");
    if (scanned_ + 1 == bytes.size()) return false;
    if (bytes[scanned_ + 1] != '\n') return Refuse(400, "line_end");
    const size_t line_end = scanned_;
    scanned_ += 2;
    if (line_end == line_start_ && lines_ > 0) return true;
    if (!OnLineEnd(bytes, line_end)) return false;
    line_start_ = scanned_;
  }
}

// The request line is parsed as soon as it is whole, so that a peer that speaks another protocol
// learns it at once; the other lines are only counted.
bool HttpParser::OnLineEnd(std::string_view bytes, size_t line_end) {
  const std::string_view line = bytes.substr(line_start_, line_end - line_start_);
  if (lines_ == 0 && line.empty()) {
    // RFC 9112, section 2.2: a client may have ended its last body with one CRLF too many.
    if (head_start_ != 0) return Refuse(400, "request_line");
    head_start_ = scanned_;
    return true;
  }
  if (lines_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
    return Refuse(400, "folded_header");
  }
  if (++lines_ == 1) {
    fields_start_ = scanned_;
    return ParseRequestLine(line);
  }
  if (lines_ - 1 > limits_.headers_max) return Refuse(431, "too_many_headers");
  return true;
}

bool HttpParser::ParseRequestLine(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Refuse(400, "request_line");
  // In this order a CONNECT or an "OPTIONS *" learns that its method is not served, rather than
  // that its target is wrong.
  return ParseVersion(line.substr(last + 1)) && ParseMethod(line.substr(0, first)) &&
         ParseTarget(line.substr(first + 1, last - first - 1));
}

bool HttpParser::ParseVersion(std::string_view version) {
  if (version == "HTTP/1.1") return true;
  if (version == "HTTP/1.0") {
    http_1_0_ = true;
    return true;
  }
  const bool another = version.size() == 8 && version.starts_with("HTTP/") && IsDigit(version[5]) &&
                       version[6] == '.' && IsDigit(version[7]);
  return another ? Refuse(505, "version") : Refuse(400, "request_line");
}

bool HttpParser::ParseMethod(std::string_view method) {
  for (std::string_view known : kMethods) {
    if (method == known) {
      method_ = known;
      return true;
    }
  }
  if (std::find(std::begin(kOtherMethods), std::end(kOtherMethods), method) !=
      std::end(kOtherMethods)) {
    return Refuse(405, "method");
  }
  const bool token = !method.empty() && std::all_of(method.begin(), method.end(), IsTokenByte);
  return token ? Refuse(501, "method_unknown") : Refuse(400, "request_line");
}

// Only looked at: the bytes may move until the head is whole, so ParseHeaders() takes the views.
bool HttpParser::ParseTarget(std::string_view target) {
  if (target.size() > kTargetBytesMax) return Refuse(414, "target_too_long");
  if (target.empty() || target.front() != '/') return Refuse(400, "target");
  for (char c : target) {
    if (!IsVisibleByte(c) || c == '#') return Refuse(400, "target");
  }
  return true;
}

bool HttpParser::ParseHeaders(std::string_view head) {
  // From the request line, which was found good when it came.
  const size_t target = head_start_ + method_.size() + 1;
  const size_t version_bytes = std::string_view(" HTTP/1.1\r\n").size();
  path_ = head.substr(target, fields_start_ - version_bytes - target);
  if (const size_t mark = path_.find('?'); mark != std::string_view::npos) {
    query_ = path_.substr(mark + 1);
    path_ = path_.substr(0, mark);
  }
  std::string_view rest = head.substr(fields_start_, head.size() - 2 - fields_start_);
  while (!rest.empty()) {
    // The scan has seen to it that each CR is followed by LF.
    const size_t end = rest.find('\r');
    if (!ParseHeader(rest.substr(0, end))) return false;
    rest.remove_prefix(end + 2);
  }
  return true;
}

bool HttpParser::ParseHeader(std::string_view line) {
  size_t colon = 0;
  while (colon < line.size() && IsTokenByte(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return Refuse(400, "header_name");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = TrimBlanks(line.substr(colon + 1));
  headers_.push_back({name, value});
  switch (name.size()) {  // The lengths of the names that mean something to us.
    case 4:
    case 6:
    case 10:
    case 14:
    case 17:
      return OnSpecialHeader(name, value);
    default:
      return true;
  }
}

bool HttpParser::OnSpecialHeader(std::string_view name, std::string_view value) {
  if (SameHeaderName(name, "host")) return OnHost(value);
  if (SameHeaderName(name, "expect")) return OnExpect(value);
  if (SameHeaderName(name, "content-length")) return OnContentLength(value);
  if (SameHeaderName(name, "transfer-encoding")) return OnTransferEncoding(value);
  if (SameHeaderName(name, "connection")) return OnConnection(value);
  return LooksLikeFramingName(name) ? Refuse(400, "header_name") : true;
}

bool HttpParser::OnHost(std::string_view value) {
  if (has_host_ || !IsHostAndPort(value)) return Refuse(400, "host");
  return has_host_ = true;
}

bool HttpParser::OnExpect(std::string_view value) {
  if (!SameHeaderName(value, "100-continue")) return Refuse(417, "expectation");
  return expects_continue_ = true;
}

bool HttpParser::OnContentLength(std::string_view value) {
  if (has_length_ || value.empty() || value.size() > kLengthDigitsMax ||
      !std::all_of(value.begin(), value.end(), IsDigit)) {
    return Refuse(400, "content_length");
  }
  for (char c : value) content_length_ = content_length_ * 10 + static_cast<size_t>(c - '0');
  return has_length_ = true;
}

bool HttpParser::OnTransferEncoding(std::string_view value) {
  if (chunked_ || value.empty()) return Refuse(400, "transfer_encoding");
  if (!SameHeaderName(value, "chunked")) return Refuse(501, "transfer_coding");
  return chunked_ = true;
}

bool HttpParser::OnConnection(std::string_view value) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = TrimBlanks(value.substr(0, comma));
    if (!std::all_of(option.begin(), option.end(), IsTokenByte)) return Refuse(400, "connection");
    if (SameHeaderName(option, "close")) asked_to_close_ = true;
    if (SameHeaderName(option, "keep-alive")) asked_to_stay_ = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return true;
}

bool HttpParser::CheckHead() {
  if (!has_host_ && !http_1_0_) return Refuse(400, "host");
  if (chunked_ && (has_length_ || http_1_0_)) return Refuse(400, "transfer_encoding");
  if (content_length_ > limits_.body_bytes_max) return Refuse(413, "body_too_large");
  // A client of HTTP/1.0 does not know the interim answer (RFC 9110, section 10.1.1).
  if (http_1_0_) expects_continue_ = false;
  return true;
}

// ---- The body

HttpProgress HttpParser::FeedLength(std::string_view bytes) {
  if (bytes.size() < content_length_) return HttpProgress::kNeedMore;
  body_ = bytes.substr(0, content_length_);
  return Complete(content_length_);
}

HttpProgress HttpParser::FeedChunks(std::string_view bytes, size_t at) {
  const HttpProgress progress = chunks_.Feed(bytes.substr(at));
  consumed_ = at + chunks_.consumed();
  bytes_wanted_ = 1;
  if (progress == HttpProgress::kRefused) {
    Refuse(chunks_.refusal().status, chunks_.refusal().reason);
  } else if (progress == HttpProgress::kComplete) {
    body_ = chunks_.body();
    return Complete(consumed_);
  }
  return progress;
}

// The body will come later and the bytes before it will be dropped: the views move to a copy.
void HttpParser::KeepHead(std::string_view head) {
  kept_head_.assign(head);
  const auto moved = [this, head](std::string_view view) {
    return view.empty()
               ? std::string_view()
               : std::string_view(kept_head_).substr(view.data() - head.data(), view.size());
  };
  path_ = moved(path_);
  query_ = moved(query_);
  for (HttpHeader& header : headers_) header = {moved(header.name), moved(header.value)};
}

}  // namespace relay

#include "relay/http_chunks.h"

#include <algorithm>

#include "relay/ascii.h"
#include "relay/http_grammar.h"

namespace relay {

void HttpChunks::Reset() {
  state_ = State::kSizeLine;
  refusal_ = {};
  consumed_ = 0;
  chunk_left_ = 0;
  body_end_seen_ = 0;
  extensions_bytes_ = 0;
  trailer_bytes_ = 0;
  line_.clear();
  line_cr_ = false;
  body_.clear();
}

void HttpChunks::ShrinkTo(size_t bytes) {
  if (body_.capacity() > bytes) body_ = std::string();
}

HttpProgress HttpChunks::Feed(std::string_view bytes) {
  consumed_ = 0;
  while (consumed_ < bytes.size() && state_ != State::kDone && state_ != State::kRefused) {
    const std::string_view rest = bytes.substr(consumed_);
    switch (state_) {
      case State::kSizeLine:
      case State::kTrailerLine:
        consumed_ += ReadLine(rest);
        break;
      case State::kBody:
        consumed_ += ReadBody(rest);
        break;
      case State::kBodyEnd:
        consumed_ += ReadBodyEnd(rest);
        break;
      case State::kDone:
      case State::kRefused:
        break;
    }
  }
  if (state_ == State::kDone) return HttpProgress::kComplete;
  return state_ == State::kRefused ? HttpProgress::kRefused : HttpProgress::kNeedMore;
}

// Takes bytes up to the end of the line, or all of them. Every bound is checked at the byte that
// passes it, so that the verdict does not depend on how the bytes were split.
size_t HttpChunks::ReadLine(std::string_view bytes) {
  const bool trailer = state_ == State::kTrailerLine;
  const size_t line_max = trailer ? kTrailerBytesMax : kSizeDigitsMax + kExtensionBytesMax;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (trailer && ++trailer_bytes_ > kTrailerBytesMax) {
      Refuse(431, "trailer_too_large");
    } else if (line_cr_) {
      line_cr_ = false;
      if (c == '\n') {
        OnLine();
      } else {
        Refuse(400, "line_end");
      }
    } else if (c == '\r') {
      line_cr_ = true;
      continue;
    } else if (c == '\n') {
      Refuse(400, "line_end");
    } else if (IsControlByte(c)) {
      Refuse(400, "control_byte");
    } else if (!trailer && line_.size() == kSizeDigitsMax && c != ';' &&
               line_.find(';') == std::string::npos) {
      Refuse(400, "chunk_size");
    } else if (line_.size() == line_max) {
      Refuse(400, "chunk_extension");
    } else {
      line_.push_back(c);
      continue;
    }
    return i + 1;
  }
  return bytes.size();
}

void HttpChunks::OnLine() {
  if (state_ == State::kSizeLine) {
    OnSizeLine();
  } else {
    OnTrailerLine();
  }
  line_.clear();
}

void HttpChunks::OnSizeLine() {
  size_t digits = 0;
  uint64_t size = 0;
  while (digits < line_.size() && digits <= kSizeDigitsMax && HexDigit(line_[digits]) >= 0) {
    size = size * 16 + static_cast<uint64_t>(HexDigit(line_[digits++]));
  }
  if (digits == 0 || digits > kSizeDigitsMax) return Refuse(400, "chunk_size");
  const std::string_view extension = std::string_view(line_).substr(digits);
  if (!extension.empty() && extension.front() != ';') return Refuse(400, "chunk_size");
  extensions_bytes_ += extension.size();
  if (extension.size() > kExtensionBytesMax || extensions_bytes_ > kExtensionsBytesMax ||
      !IsChunkExtension(extension)) {
    return Refuse(400, "chunk_extension");
  }
  if (size > body_bytes_max_ - body_.size()) return Refuse(413, "body_too_large");
  chunk_left_ = static_cast<size_t>(size);
  state_ = size == 0 ? State::kTrailerLine : State::kBody;
}

void HttpChunks::OnTrailerLine() {
  if (line_.empty()) {
    state_ = State::kDone;
    return;
  }
  size_t name = 0;
  while (name < line_.size() && IsTokenByte(line_[name])) ++name;
  const bool sound = name > 0 && name < line_.size() && line_[name] == ':';
  const std::string_view name_text = std::string_view(line_).substr(0, name);
  if (!sound || IsHeadOnlyName(name_text) || LooksLikeFramingName(name_text)) {
    Refuse(400, "trailer");
  }
}

size_t HttpChunks::ReadBody(std::string_view bytes) {
  const size_t taken = std::min(chunk_left_, bytes.size());
  body_.append(bytes.substr(0, taken));
  chunk_left_ -= taken;
  if (chunk_left_ == 0) {
    state_ = State::kBodyEnd;
    body_end_seen_ = 0;
  }
  return taken;
}

size_t HttpChunks::ReadBodyEnd(std::string_view bytes) {
  if (bytes.front() != (body_end_seen_ == 0 ? '\r' : '\n')) {
    Refuse(400, "chunk_end");
  } else if (++body_end_seen_ == 2) {
    state_ = State::kSizeLine;
  }
  return 1;
}

void HttpChunks::Refuse(int status, std::string_view reason) {
  refusal_ = {status, reason};
  state_ = State::kRefused;
}

}  // namespace relay

#include "relay/counted_text.h"

#include <charconv>
#include <utility>

namespace relay {

void AppendCounted(std::string_view text, std::string& out) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

void CountedReader::Expect(std::string_view literal) {
  if (!ok_ || !text_.starts_with(literal)) return Fail();
  text_.remove_prefix(literal.size());
}

int64_t CountedReader::Number() {
  int64_t number = 0;
  const auto read = std::from_chars(text_.data(), text_.data() + text_.size(), number);
  const auto digits = static_cast<size_t>(read.ptr - text_.data());
  const bool plain = read.ec == std::errc() && text_[0] != '-' && (text_[0] != '0' || digits == 1);
  if (!ok_ || !plain) {
    Fail();
    return 0;
  }
  text_.remove_prefix(digits);
  return number;
}

int64_t CountedReader::NextNumber() {
  Expect(" ");
  return Number();
}

bool CountedReader::Flag() {
  const int64_t flag = Number();
  if (flag > 1) Fail();
  return flag == 1;
}

std::string CountedReader::Counted(size_t max) {
  const auto size = static_cast<size_t>(Number());
  Expect(":");
  if (!ok_ || size > max || size > text_.size()) {
    Fail();
    return {};
  }
  std::string taken(text_.substr(0, size));
  text_.remove_prefix(size);
  return taken;
}

std::string_view CountedReader::Word() {
  const std::string_view word = text_.substr(0, text_.find(' '));
  if (word.empty()) Fail();
  if (ok_) text_.remove_prefix(word.size());
  return ok_ ? word : std::string_view();
}

std::string_view CountedReader::Rest() {
  return std::exchange(text_, {});
}

void CountedReader::Fail() {
  ok_ = false;
  text_ = {};
}

}  // namespace relay

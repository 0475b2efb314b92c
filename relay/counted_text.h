#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

// Small records as text that a person can read and a program reads back strictly: numbers with
// blanks between them, and texts of any bytes behind their length ("5:hello").

void AppendCounted(std::string_view text, std::string& out);

// Takes what is expected off the front of a text. After the first thing that is not there ok() is
// false, and everything read is empty or 0.
class CountedReader {
 public:
  explicit CountedReader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  // All is read, and all was as it should be.
  bool done() const { return ok_ && text_.empty(); }

  void Expect(std::string_view literal);
  // Digits as they are written by us: no sign, no leading zero.
  int64_t Number();
  // The same behind a blank.
  int64_t NextNumber();
  bool Flag();  // 0 or 1.
  std::string Counted(size_t max);
  // Up to the next blank, which stays.
  std::string_view Word();
  // All that is left, which may be nothing.
  std::string_view Rest();

 private:
  void Fail();

  std::string_view text_;
  bool ok_ = true;
};

}  // namespace relay

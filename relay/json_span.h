#pragma once

#include <string>
#include <string_view>

#include "relay/json_object.h"

namespace relay {

// What kind of value begins with `first`. Requires: a checked JSON text.
JsonKind JsonKindOf(char first);

// Whether `c` may stand between two tokens of a JSON text.
constexpr bool IsBetweenTokens(char c) {
  return c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The text of `raw`, a string as written: a view of it, or, where it was written with escapes, of
// `buffer`, which then holds it decoded.
std::string_view JsonText(std::string_view raw, std::string& buffer);

// Walks over the values of one object or array within a text that JsonObject has checked, as spans
// of that text: how what stands below the top level is read, and only where somebody asks. Without
// checks of its own: on any other text it may run over the end.
class JsonSpanReader {
 public:
  // `container` begins with its bracket.
  explicit JsonSpanReader(std::string_view container) : text_(container) {}

  // The next element of an array; false behind the last one.
  bool NextElement(std::string_view* value);
  // The next member of an object, its key as written; false behind the last one.
  bool NextMember(std::string_view* key, std::string_view* value);

 private:
  // Past what separates tokens; false at the end of the container.
  bool SkipToToken();
  std::string_view TakeValue();

  std::string_view text_;
  size_t at_ = 1;
};

}  // namespace relay

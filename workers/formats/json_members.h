#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "relay/json_quote.h"

namespace relay {

// Writes one JSON object to the end of a string, member by member. Names are trusted; texts are
// UTF-8 and are escaped where they need it. What is not known has no member.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out) : out_(out) { out_ += '{'; }
  JsonMembers(const JsonMembers&) = delete;
  JsonMembers& operator=(const JsonMembers&) = delete;
  ~JsonMembers() { out_ += '}'; }

  // No member for an empty text.
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) AppendJsonString(text, Open(name));
  }
  void Number(std::string_view name, int64_t number) {
    char digits[24];
    Open(name).append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
  }
  // `json` is JSON already; no member for an empty one.
  void Raw(std::string_view name, std::string_view json) {
    if (!json.empty()) Open(name).append(json);
  }
  // Where the value of that member is to be appended.
  std::string& Open(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    return out_.append("\"").append(name).append("\":");
  }

 private:
  std::string& out_;
};

}  // namespace relay

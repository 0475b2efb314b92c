#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

enum class JsonKind { kString, kNumber, kObject, kArray, kTrue, kFalse, kNull };

// One member of the top-level object. The views stand in the parsed bytes (`key`, when it was
// written with escapes, in the JsonObject).
struct JsonMember {
  std::string_view key;      // Decoded.
  std::string_view raw_key;  // As written, with its quotes.
  std::string_view raw;      // The value as written: a string with its quotes, a number's literal.
  JsonKind kind = JsonKind::kNull;

  // The text of a string value: a view of the bytes, or, where it was written with escapes, of
  // `buffer`, which then holds it decoded. Requires: kind is kString.
  std::string_view StringValue(std::string& buffer) const;
};

// A JSON text with one object at the top, strictly checked, its top-level members as spans of the
// bytes: what a relay needs that must hand on the very bytes it was given.
//
// Refused besides broken grammar: invalid UTF-8, lone surrogates, a byte order mark, NUL bytes,
// a key that occurs twice in one object at any level (receivers disagree about which one counts),
// depth over 64, over 4,096 members in one object, numbers beyond a double. The cost of a text is
// bounded by its length, times the logarithm of its members.
//
// Meant to be reused: after a few texts Parse() allocates nothing.
class JsonObject {
 public:
  static constexpr int kDepthMax = 64;
  static constexpr size_t kMembersMax = 4096;

  JsonObject();
  ~JsonObject();

  // `bytes` must outlive the use of the members. InvalidArgument says what is wrong and at which
  // byte; there are no members then.
  Status Parse(std::string_view bytes);

  // Of the last Parse() that failed: why, and at which byte (from 0).
  const char* complaint() const;
  size_t complaint_at() const;

  // In the order of the text.
  std::span<const JsonMember> members() const;
  // Null when there is no such member.
  const JsonMember* Find(std::string_view key) const;
  // The text of the last Parse().
  std::string_view bytes() const;

 private:
  struct Scanner;
  std::unique_ptr<Scanner> scanner_;
};

}  // namespace relay

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

// A text of the catalog that is filled in from a callback, such as "{timestamp}.{body}". What
// stands in braces is a variable; "{{" and "}}" stand for one brace.
//
//   {body}         the body, byte for byte
//   {timestamp}    the digits of the timestamp
//   {header:Name}  the value of that header
//   {json:name}    the top-level member of that name, a string or a number
class TextTemplate {
 public:
  enum class Kind { kLiteral, kBody, kTimestamp, kHeader, kMember };
  struct Piece {
    Kind kind = Kind::kLiteral;
    std::string text;  // The literal, or the name of the header or member.
  };
  static constexpr size_t kPiecesMax = 20;

  TextTemplate() = default;
  // InvalidArgument names the variable that is not known, or the brace that is left alone.
  static Result<TextTemplate> Parse(std::string_view text);

  std::span<const Piece> pieces() const { return pieces_; }
  bool Uses(Kind kind) const;

 private:
  std::vector<Piece> pieces_;
};

}  // namespace relay

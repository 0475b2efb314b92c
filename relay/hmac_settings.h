#pragma once

#include <string>

#include "relay/hmac.h"

namespace relay {

enum class SignatureEncoding { kHex, kBase64 };

// How a provider of the kind "hmac" signs its callbacks: the table `hmac` of a source. The texts
// with variables are TextTemplates.
struct HmacSettings {
  std::string header;  // That carries the signature.
  HmacAlgorithm algorithm = HmacAlgorithm::kSha256;
  SignatureEncoding encoding = SignatureEncoding::kHex;
  std::string signed_text = "{body}";
  std::string prefix;     // Of a signature, e.g. "sha256=". What begins otherwise is passed over.
  std::string separator;  // Between several items of the header; empty: it holds one.
  // Where the seconds since 1970 stand that {timestamp} means: the header, or the item of it that
  // begins with the prefix. Empty: the scheme has none.
  std::string timestamp_header;
  std::string timestamp_prefix;
  // What the event says of itself, by {header:...} and {json:...}; empty: nothing.
  std::string type;
  std::string ordering;
  std::string dedupe;  // Where it comes to nothing, the SHA-256 of the body.
  int answer_status = 200;
  std::string answer_body = "{\"code\":0}";

  bool operator==(const HmacSettings&) const = default;
};

}  // namespace relay

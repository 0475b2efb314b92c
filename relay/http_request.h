#pragma once

#include <span>
#include <string_view>

#include "relay/clock.h"

namespace relay {

struct HttpHeader {
  std::string_view name;  // As sent; compare with HttpRequest::Header, which ignores case.
  std::string_view value;
};

// A request that has come whole. The views live until the exchange is answered or its connection
// is gone, whichever comes first: copy what must live longer.
struct HttpRequest {
  std::string_view method;  // GET, HEAD or POST; anything else is refused by the server itself.
  std::string_view path;    // The target up to '?', not decoded.
  std::string_view query;   // After '?', not decoded; empty when there is none.
  std::span<const HttpHeader> headers;
  std::string_view body;  // Chunked transfer coding already taken off.
  MonoTime arrived;       // When its first byte was read.

  // The value of the first header called `name` (any case), or an empty view.
  std::string_view Header(std::string_view name) const;
};

// Whether two header names are the same: ASCII letters compare without case.
bool SameHeaderName(std::string_view a, std::string_view b);

}  // namespace relay

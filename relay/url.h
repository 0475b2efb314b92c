#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "relay/ip_address.h"
#include "relay/status.h"

namespace relay {

// An endpoint's URL, taken apart. Only what ParseUrl accepts is ever held, so every program and
// libcurl agree on which host is meant.
struct Url {
  bool https = false;
  std::string host;  // A DNS name in lower case, or an address in its usual form, no brackets.
  std::optional<IpAddress> address;  // When the host is an address.
  int port = 0;                      // Never 0; the scheme's own when the text names none.
  std::string target;                // Path and query, beginning with '/'.

  // The host as it stands in a URL: an IPv6 address in brackets.
  std::string UrlHost() const;
  // The whole URL in canonical form, the port written only where it is not the scheme's own.
  std::string ToString() const;

  bool operator==(const Url&) const = default;
};

inline constexpr size_t kUrlBytesMax = 2048;

// Reads an absolute http or https URL, strictly: the host is a DNS name (letters, digits, hyphens;
// not ending in a number or a dot), a dotted-quad decimal or a bracketed IPv6 address without zone.
// Refused, because parsers disagree on them: user info, fragments, backslashes, blanks, control and
// non-ASCII characters, '%' in the host, "0x7f.1" and the like, an empty or zero port. The text of
// the InvalidArgument says what is wrong and never repeats the URL: its query may hold a secret.
Result<Url> ParseUrl(std::string_view text);

}  // namespace relay

#include "relay/url.h"

#include <charconv>

#include "relay/ascii.h"

namespace relay {
namespace {

constexpr size_t kNameBytesMax = 253;  // RFC 1035, without the dot of the root.
constexpr size_t kLabelBytesMax = 63;

bool TakePrefix(std::string_view& text, std::string_view lower_case_prefix) {
  if (LowerCase(text.substr(0, lower_case_prefix.size())) != lower_case_prefix) return false;
  text.remove_prefix(lower_case_prefix.size());
  return true;
}

// What many parsers read as a number: all digits, or "0x" and hexadecimal digits (perhaps none).
bool LooksNumeric(std::string_view label) {
  const bool hex = label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
  for (char c : label.substr(hex ? 2 : 0)) {
    if (hex ? !IsHexDigit(c) : !IsDigit(c)) return false;
  }
  return true;
}

Status CheckLabel(std::string_view label) {
  if (label.empty()) return Status::InvalidArgument("the host has an empty label");
  if (label.size() > kLabelBytesMax) {
    return Status::InvalidArgument("a label of the host has more than 63 characters");
  }
  for (char c : label) {
    if (!IsLetter(c) && !IsDigit(c) && c != '-') {
      return Status::InvalidArgument(
          "the host has a character other than letters, digits, '-' and '.' "
          "(international names are written in their xn-- form)");
    }
  }
  if (label.front() == '-' || label.back() == '-') {
    return Status::InvalidArgument("a label of the host begins or ends with '-'");
  }
  return Status::Ok();
}

Status CheckName(std::string_view name) {
  if (name.size() > kNameBytesMax) return Status::InvalidArgument("the host is too long");
  if (!name.empty() && name.back() == '.') return Status::InvalidArgument("the host ends in a dot");
  std::string_view label;
  for (std::string_view rest = name;;) {
    const size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (Status status = CheckLabel(label); !status.ok()) return status;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (LooksNumeric(label)) {
    return Status::InvalidArgument(
        "the host ends in a number but is not an address of four decimal numbers");
  }
  return Status::Ok();
}

Status ParseHost(std::string_view host, Url& url) {
  if (host.empty()) return Status::InvalidArgument("the host is missing");
  if (host.front() == '[') {
    if (host.size() < 2 || host.back() != ']') {
      return Status::InvalidArgument("the host has '[' without ']' at its end");
    }
    const std::string_view inner = host.substr(1, host.size() - 2);
    url.address = IpAddress::Parse(inner);
    if (!url.address || !url.address->v6) {
      return Status::InvalidArgument("the brackets hold no IPv6 address (zones are not taken)");
    }
    url.host = url.address->ToString();
    return Status::Ok();
  }
  url.address = IpAddress::Parse(host);
  if (url.address) {
    url.host = url.address->ToString();
    return Status::Ok();
  }
  if (Status status = CheckName(host); !status.ok()) return status;
  url.host = LowerCase(host);
  return Status::Ok();
}

Status ParsePort(std::string_view digits, Url& url) {
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || digits.size() > 5 || !IsDigit(digits[0]) || error != std::errc() ||
      end != digits.data() + digits.size() || port < 1 || port > 65535) {
    return Status::InvalidArgument("the port is not a number from 1 to 65535");
  }
  url.port = port;
  return Status::Ok();
}

// Path and query as RFC 3986 writes them; nothing is encoded for the writer, since what is signed
// and logged must be what is sent.
Status CheckTarget(std::string_view target) {
  constexpr std::string_view kAllowed = "-._~!$&'()*+,;=:@/?";
  for (size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (c == '#') return Status::InvalidArgument("a fragment ('#') has no place here");
    if (c == '%') {
      if (i + 2 >= target.size() || !IsHexDigit(target[i + 1]) || !IsHexDigit(target[i + 2])) {
        return Status::InvalidArgument("a '%' is not followed by two hexadecimal digits");
      }
    } else if (!IsLetter(c) && !IsDigit(c) && kAllowed.find(c) == std::string_view::npos) {
      return Status::InvalidArgument("path or query has a character that must be percent-encoded");
    }
  }
  return Status::Ok();
}

}  // namespace

std::string Url::UrlHost() const {
  return address && address->v6 ? "[" + host + "]" : host;
}

std::string Url::ToString() const {
  std::string text = (https ? "https://" : "http://") + UrlHost();
  if (port != (https ? 443 : 80)) text += ":" + std::to_string(port);
  return text + target;
}

Result<Url> ParseUrl(std::string_view text) {
  if (text.size() > kUrlBytesMax) {
    return Status::InvalidArgument("is longer than " + std::to_string(kUrlBytesMax) + " bytes");
  }
  Url url;
  if (TakePrefix(text, "https://")) {
    url.https = true;
  } else if (!TakePrefix(text, "http://")) {
    return Status::InvalidArgument("does not begin with http:// or https://");
  }
  url.port = url.https ? 443 : 80;

  const size_t authority_end = text.find_first_of("/?#");
  std::string_view authority = text.substr(0, authority_end);
  std::string_view target =
      authority_end == std::string_view::npos ? std::string_view() : text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return Status::InvalidArgument("user and password have no place in the host part");
  }

  // The colon of the port comes after the bracket of an IPv6 address.
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    if (Status status = ParsePort(authority.substr(colon + 1), url); !status.ok()) return status;
    authority = authority.substr(0, colon);
  }
  if (Status status = ParseHost(authority, url); !status.ok()) return status;
  if (Status status = CheckTarget(target); !status.ok()) return status;
  url.target = target.empty() || target[0] != '/' ? "/" + std::string(target) : std::string(target);
  return url;
}

}  // namespace relay

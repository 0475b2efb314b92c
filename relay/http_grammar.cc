#include "relay/http_grammar.h"

#include "relay/ascii.h"
#include "relay/http_request.h"

namespace relay {

namespace {

constexpr size_t kHostBytesMax = 255;
constexpr int kPortMax = 65535;

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  int port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + (c - '0');
  }
  return port <= kPortMax;
}

// What stands between the brackets; which groups are allowed where is not looked at.
bool IsBracketedAddress(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    if (HexDigit(c) < 0 && c != ':' && c != '.') return false;
  }
  return true;
}

size_t SkipToken(std::string_view text, size_t at) {
  while (at < text.size() && IsTokenByte(text[at])) ++at;
  return at;
}

// Past the closing quote of the quoted-string that begins at `at`, or npos.
size_t SkipQuoted(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\' && ++at == text.size()) break;
  }
  return std::string_view::npos;
}

}  // namespace

bool IsHeadOnlyName(std::string_view name) {
  return SameHeaderName(name, "content-length") || SameHeaderName(name, "transfer-encoding") ||
         SameHeaderName(name, "host") || SameHeaderName(name, "connection");
}

bool LooksLikeFramingName(std::string_view name) {
  return SameHeaderName(name, "content_length") || SameHeaderName(name, "transfer_encoding");
}

bool IsHostAndPort(std::string_view value) {
  if (value.empty() || value.size() > kHostBytesMax) return false;
  size_t end = 0;
  if (value.front() == '[') {
    end = value.find(']');
    if (end == std::string_view::npos || !IsBracketedAddress(value.substr(1, end - 1))) {
      return false;
    }
    ++end;
  } else {
    while (end < value.size() && IsHostByte(value[end])) ++end;
    if (end == 0) return false;
  }
  if (end == value.size()) return true;
  return value[end] == ':' && IsPort(value.substr(end + 1));
}

bool IsChunkExtension(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] != ';') return false;
    const size_t name = at + 1;
    at = SkipToken(text, name);
    if (at == name) return false;
    if (at == text.size() || text[at] != '=') continue;
    const size_t value = at + 1;
    if (value < text.size() && text[value] == '"') {
      at = SkipQuoted(text, value);
      if (at == std::string_view::npos) return false;
    } else {
      at = SkipToken(text, value);
      if (at == value) return false;
    }
  }
  return true;
}

}  // namespace relay

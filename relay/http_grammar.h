#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace relay {

// The character classes of RFC 9110 and RFC 9112 that the parser works with.

struct HttpByteClasses {
  std::array<bool, 256> token{};    // tchar: methods and names
  std::array<bool, 256> host{};     // letters, digits, '-', '.', '_'
  std::array<bool, 256> visible{};  // 0x21 to 0x7e
};

constexpr HttpByteClasses MakeHttpByteClasses() {
  HttpByteClasses out;
  for (int c = 0x21; c <= 0x7e; ++c) out.visible[c] = true;
  for (int c = '0'; c <= '9'; ++c) out.token[c] = out.host[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) out.token[c] = out.host[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) out.token[c] = out.host[c] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) out.token[static_cast<uint8_t>(c)] = true;
  for (char c : std::string_view("-._")) out.host[static_cast<uint8_t>(c)] = true;
  return out;
}

inline constexpr HttpByteClasses kHttpBytes = MakeHttpByteClasses();

inline bool IsTokenByte(char c) {
  return kHttpBytes.token[static_cast<uint8_t>(c)];
}
inline bool IsVisibleByte(char c) {
  return kHttpBytes.visible[static_cast<uint8_t>(c)];
}
inline bool IsHostByte(char c) {
  return kHttpBytes.host[static_cast<uint8_t>(c)];
}
// What must not stand in a header value, a chunk extension or a trailer. Tab may.
inline bool IsControlByte(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// `text` without the spaces and tabs around it.
inline std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Names that must not come as a trailer: a receiver that merged trailers into the headers would
// take the message for another one.
bool IsHeadOnlyName(std::string_view name);
// Content-Length or Transfer-Encoding with '_', which CGI-like receivers take for '-'.
bool LooksLikeFramingName(std::string_view name);

// host or host:port, where host is a name, an IPv4 address or an IPv6 address in brackets.
bool IsHostAndPort(std::string_view value);

// A whole chunk extension: *( ";" token [ "=" ( token / quoted-string ) ] ), without white space.
bool IsChunkExtension(std::string_view text);

}  // namespace relay

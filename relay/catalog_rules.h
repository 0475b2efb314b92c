#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay {

// What names and headers of a catalog may look like, whoever writes it.

constexpr size_t kCatalogIdBytesMax = 40;
// 1 to 40 of a-z, 0-9 and '-'.
bool IsCatalogId(std::string_view id);
// 1 to 100 letters, digits, '-', '_' and '.': one step of a URL's path that needs no escapes.
bool IsSourcePath(std::string_view path);
// 1 to 10 digits: the type of an event that has a number for it.
bool IsEventNumber(std::string_view text);
// Names notices, as id and as path: no source of a catalog may be called so.
constexpr std::string_view kReservedSource = "relay";
// A token of RFC 9110, section 5.6.2, of at most 100 bytes.
bool IsHeaderName(std::string_view name);
// Headers that the worker or libcurl writes itself, and those that change how a request is read.
bool IsReservedHeader(std::string_view name);
// At most 1024 bytes of printable ASCII, blanks and tabs.
bool IsHeaderValue(std::string_view value);

}  // namespace relay

#include "relay/catalog_rules.h"

#include <algorithm>

#include "relay/ascii.h"

namespace relay {

namespace {

constexpr size_t kPathBytesMax = 100;
constexpr size_t kHeaderBytesMax = 1024;
constexpr size_t kNumberDigitsMax = 10;

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || IsDigit(c);
}

}  // namespace

bool IsCatalogId(std::string_view id) {
  return !id.empty() && id.size() <= kCatalogIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool IsSourcePath(std::string_view path) {
  return !path.empty() && path.size() <= kPathBytesMax &&
         std::all_of(path.begin(), path.end(),
                     [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsEventNumber(std::string_view text) {
  return !text.empty() && text.size() <= kNumberDigitsMax &&
         std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2: token
  return !name.empty() && name.size() <= kPathBytesMax &&
         std::all_of(name.begin(), name.end(), [kMarks](char c) {
           return IsLetterOrDigit(c) || kMarks.find(c) != std::string_view::npos;
         });
}

bool IsReservedHeader(std::string_view name) {
  const std::string lower = LowerCase(name);
  for (std::string_view prefix : {"webhook-", "relay-", "proxy-"}) {
    if (lower.starts_with(prefix)) return true;
  }
  constexpr std::string_view kReserved[] = {
      "accept-encoding", "connection",
      "content-length",  "content-type",
      "expect",          "host",
      "keep-alive",      "te",
      "traceparent",     "tracestate",
      "trailer",         "upgrade",
      "user-agent",      "transfer-encoding",
  };
  return std::find(std::begin(kReserved), std::end(kReserved), lower) != std::end(kReserved);
}

bool IsHeaderValue(std::string_view value) {
  return value.size() <= kHeaderBytesMax && std::all_of(value.begin(), value.end(), [](char c) {
           return c == '\t' || (c >= 0x20 && c < 0x7f);
         });
}

}  // namespace relay

#include "relay/catalog_format_toml.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "relay/catalog_words.h"

namespace relay {
namespace {

constexpr size_t kRedactMax = 10;
constexpr size_t kParameterBytesMax = 40;

// What no encoding of a URL or of JSON ever writes otherwise, so that it is found where it stands.
bool IsPlainParameter(std::string_view name) {
  return !name.empty() && name.size() <= kParameterBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

}  // namespace

void ReadDeliveryFormat(TomlTable& table, Endpoint& endpoint) {
  table.ReadWord("format", WordsFor(endpoint.format), endpoint.format);
  table.ReadWord("content_mode", WordsFor(endpoint.content_mode), endpoint.content_mode);
  if (table.has("content_mode") && endpoint.format != DeliveryFormat::kCloudEvents) {
    table.Complain("content_mode", "belongs to format = \"cloudevents\"");
  }
  table.Read("redact", kRedactMax, endpoint.redact);
  for (const std::string& name : endpoint.redact) {
    if (IsPlainParameter(name)) continue;
    table.Complain("redact",
                   "expected names of 1 to 40 letters, digits, '-' or '_', such as "
                   "\"txSecret\"");
  }
  if (!endpoint.redact.empty() && endpoint.format == DeliveryFormat::kRaw) {
    table.Complain("redact", "has no place with format = \"raw\", which is the body as it came");
  }
}

}  // namespace relay

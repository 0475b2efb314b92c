#include "relay/catalog_format_toml.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "relay/ascii.h"
#include "relay/catalog_words.h"
#include "relay/play_address.h"
#include "relay/secret_text.h"

namespace relay {
namespace {

constexpr size_t kRedactMax = 10;
constexpr size_t kParameterBytesMax = 40;

// What no encoding of a URL or of JSON ever writes otherwise, so that it is found where it stands.
bool IsPlainParameter(std::string_view name) {
  return !name.empty() && name.size() <= kParameterBytesMax &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_'; });
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

void ReadPlaySettings(TomlTable& table, PlaySettings& play) {
  table.Require("domain");
  table.Read("domain", play.domain);
  table.Read("path", play.path);
  table.Read("valid", std::chrono::minutes(1), std::chrono::hours(30 * 24), play.valid);
  table.Read("https", play.https);
  table.Read("key", play.key);
  if (table.has("key")) {
    Result<std::string> key = ReadSecretText(play.key);
    if (key.ok()) {
      play.key = std::move(*key);
    } else {
      table.Complain("key", key.status().text());
    }
  }
  StreamPlace place;
  place.domain = play.domain;
  if (!play.path.empty()) place.path = play.path;
  const Result<std::string> address = StreamAddress(place, "stream", "");
  if (!address.ok() && !play.domain.empty()) table.Complain("", address.status().text());
  table.RefuseUnknown();
}

}  // namespace relay

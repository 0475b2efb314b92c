#include "workers/formats/cloudevents_format.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "relay/ascii.h"
#include "relay/base64.h"
#include "relay/catalog_rules.h"
#include "relay/utf8.h"
#include "workers/delivery_headers.h"
#include "workers/formats/cloudevents_type.h"
#include "workers/formats/json_members.h"

namespace relay {
namespace {

constexpr std::string_view kStructuredType = "application/cloudevents+json";

struct Attribute {
  std::string_view name;
  std::string value;  // Empty: the event has none.
};
using Attributes = std::array<Attribute, 8>;

// Whether CloudEvents' type String can hold it. It is UTF-8 already.
bool IsAttributeText(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    // U+0080 to U+009F.
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return false;
    }
  }
  return true;
}

std::string AttributeText(std::string_view text) {
  return IsAttributeText(text) ? std::string(text) : std::string();
}

Attributes AttributesOf(const FormatInput& input) {
  const EventFacts& facts = *input.facts;
  std::string time = FormattedTime(facts.event_time_ms);
  if (time.empty()) time = FormattedTime(input.event.accepted_us / 1000);
  return {{{"specversion", "1.0"},
           {"id", input.event.id},
           {"source", "/relay/" + input.event.source},
           {"type", CloudEventsType(input.provider(), input.event.type)},
           {"subject", AttributeText(SubjectOf(input))},
           {"time", std::move(time)},
           {"relaytenant", input.event.tenant},
           {"relayactivity", AttributeText(facts.activity)}}};
}

// Section 3.1.3.2 of the HTTP binding: a blank, '"', '%' and what is not printable ASCII.
void AppendPercentEncoded(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (c > ' ' && c < 0x7f && c != '"' && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
}

// What the sender said the body is.
std::string_view ContentTypeOf(const FormatInput& input) {
  return KeptHeader(input.event, "content-type");
}

bool IsCloudEventsType(std::string_view content_type) {
  return LowerCase(content_type).starts_with("application/cloudevents");
}

void FormatBinary(const FormatInput& input, FormattedBody& out) {
  for (const Attribute& attribute : AttributesOf(input)) {
    if (attribute.value.empty()) continue;
    out.headers.append("ce-").append(attribute.name).append(": ");
    AppendPercentEncoded(attribute.value, out.headers);
    out.headers += '\n';
  }
  const std::string_view content_type = ContentTypeOf(input);
  if (content_type.empty() && input.object == nullptr) {
    out.content_type = "application/octet-stream";
  } else if (IsCloudEventsType(content_type)) {
    // By its type a receiver would take the body, itself a CloudEvent, for ours.
    out.content_type = "application/json";
  }
}

void FormatStructured(const FormatInput& input, FormattedBody& out) {
  out.content_type = kStructuredType;
  out.is_own = true;
  out.own_body.reserve(input.body.size() + 512);
  JsonMembers members(out.own_body);
  for (const Attribute& attribute : AttributesOf(input)) {
    members.Text(attribute.name, attribute.value);
  }
  if (input.object != nullptr) {
    members.Text("datacontenttype", "application/json");
    return members.Raw("data", input.body);
  }
  const std::string_view content_type = ContentTypeOf(input);
  const bool told = !content_type.empty() && IsAttributeText(content_type) && IsUtf8(content_type);
  members.Text("datacontenttype", told ? content_type : "application/octet-stream");
  std::string& data = members.Open("data_base64");
  data += '"';
  AppendBase64(input.body, data);
  data += '"';
}

}  // namespace

void FormatCloudEvent(const FormatInput& input, FormattedBody& out) {
  switch (input.endpoint.content_mode) {
    case ContentMode::kBinary:
      return FormatBinary(input, out);
    case ContentMode::kStructured:
      return FormatStructured(input, out);
  }
}

}  // namespace relay

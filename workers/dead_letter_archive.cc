#include "workers/dead_letter_archive.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string_view>

#include "relay/base64.h"
#include "relay/units.h"
#include "relay/utf8.h"

namespace relay {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void AppendString(Writer& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

// Short texts that came with the event. A line must be JSON whatever they hold, so what is no UTF-8
// loses its upper bytes; the body, which is the event, loses nothing.
void AppendText(Writer& writer, std::string_view text) {
  if (IsUtf8(text)) return AppendString(writer, text);
  std::string plain(text);
  for (char& c : plain) {
    if ((static_cast<unsigned char>(c) & 0x80) != 0) c = '?';
  }
  AppendString(writer, plain);
}

void AppendMember(Writer& writer, const char* name, std::string_view text) {
  writer.Key(name);
  AppendText(writer, text);
}

void AppendAttempts(Writer& writer, const std::vector<AttemptRecord>& history) {
  writer.Key("attempts");
  writer.StartArray();
  for (const AttemptRecord& attempt : history) {
    writer.StartObject();
    AppendMember(writer, "at", TimeText(attempt.at_ms));
    AppendMember(writer, "outcome", AttemptOutcomeName(attempt.outcome));
    writer.Key("status");
    writer.Int(attempt.status);
    writer.Key("latency_ms");
    writer.Int64(attempt.latency.count());
    writer.EndObject();
  }
  writer.EndArray();
}

// "name: value" each, as curl takes them.
void AppendHeaders(Writer& writer, std::string_view headers) {
  writer.Key("headers");
  writer.StartArray();
  while (!headers.empty()) {
    const size_t end = std::min(headers.find('\n'), headers.size());
    if (end > 0) AppendText(writer, headers.substr(0, end));
    headers.remove_prefix(std::min(end + 1, headers.size()));
  }
  writer.EndArray();
}

}  // namespace

void AppendLetterLine(const ArchivedLetter& letter, std::string& out) {
  const Event& event = letter.event;
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  AppendMember(writer, "webhook_id", event.id);
  AppendMember(writer, "tenant", event.tenant);
  AppendMember(writer, "endpoint",
               event.tenant + "/" +
                   (letter.endpoint_id.empty() ? "#" + std::to_string(letter.endpoint)
                                               : letter.endpoint_id));
  writer.Key("endpoint_number");
  writer.Uint64(letter.endpoint);
  AppendMember(writer, "source", event.source);
  AppendMember(writer, "type", event.type);
  AppendMember(writer, "stream", event.ordering_key);
  AppendMember(writer, "accepted_at", TimeText(event.accepted_us / 1000));
  writer.Key("accepted_at_us");
  writer.Int64(event.accepted_us);
  AppendMember(writer, "died_at", TimeText(letter.died_ms));
  AppendMember(writer, "reason", DeadLetterReasonName(ReasonOf(letter.history)));
  AppendAttempts(writer, letter.history);
  AppendHeaders(writer, event.headers);
  if (IsUtf8(event.body)) {
    writer.Key("body");
    AppendString(writer, event.body);
  } else {
    std::string body;
    AppendBase64(event.body, body);
    AppendMember(writer, "body_base64", body);
  }
  writer.EndObject();
  out.append(buffer.GetString(), buffer.GetSize()).append("\n");
}

}  // namespace relay

#include "workers/formats/normalized_format.h"

#include "relay/base64.h"
#include "relay/utf8.h"
#include "workers/formats/json_members.h"
#include "workers/formats/play_addresses.h"

namespace relay {
namespace {

void AddTime(std::string_view name, int64_t ms, JsonMembers& members) {
  const std::string text = FormattedTime(ms);
  if (text.empty()) return;
  members.Text(name, text);
  members.Number(std::string(name) + "_ms", ms);
}

void AddRoom(const RegisteredRoom& registered, JsonMembers& members) {
  JsonMembers room(members.Open("room"));
  room.Text("room", registered.room);
  room.Text("user", registered.user);
  room.Text("type", registered.type);
}

void AddData(const FormatInput& input, JsonMembers& members) {
  if (input.object != nullptr) return members.Raw("data", input.body);
  if (IsUtf8(input.body)) return AppendJsonString(input.body, members.Open("data_text"));
  std::string& data = members.Open("data_base64");
  data += '"';
  AppendBase64(input.body, data);
  data += '"';
}

}  // namespace

void NormalizedFormat::Format(const FormatInput& input, FormattedBody& out) {
  const Event& event = input.event;
  const EventFacts& facts = *input.facts;
  out.is_own = true;
  out.content_type = "application/json";
  out.own_body.reserve(input.body.size() + 1024);
  JsonMembers members(out.own_body);
  members.Text("id", event.id);
  members.Text("source", event.source);
  members.Text("provider", input.provider());
  members.Text("tenant", event.tenant);
  members.Text("type", event.type);
  members.Text("type_name", facts.type_name);
  members.Text("stream", SubjectOf(input));
  members.Text("domain", facts.domain);
  members.Text("path", facts.path);
  members.Text("account", facts.account);
  members.Text("activity", facts.activity);
  AddTime("event_time", facts.event_time_ms, members);
  AddTime("accepted_time", event.accepted_us / 1000, members);
  members.Text("stream_state", input.stream_verdict);
  if (input.room != nullptr) AddRoom(*input.room, members);
  if (input.source != nullptr) {
    members.Raw("play", PlayAddresses(input.source->play, facts, input.now));
  }
  if (input.object != nullptr) {
    CollectOpened(*input.object);
    members.Raw("opened", opened_);
  }
  AddData(input, members);
}

std::string_view NormalizedFormat::OpenText(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos || (text[begin] != '{' && text[begin] != '[')) return {};
  text = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  // Checked as the value of a member, because an array is no object. The text must be that value
  // and nothing else, or it could bring a member of its own.
  inner_text_.assign("{\"v\":").append(text).append("}");
  if (!inner_.Parse(inner_text_).ok() || inner_.members().size() != 1) return {};
  const std::string_view value = inner_.members().front().raw;
  return value.size() == text.size() ? value : std::string_view();
}

void NormalizedFormat::CollectOpened(const JsonObject& object) {
  opened_.clear();
  for (const JsonMember& member : object.members()) {
    if (member.kind != JsonKind::kString) continue;
    const std::string_view value = OpenText(member.StringValue(buffer_));
    if (value.empty()) continue;
    opened_.append(opened_.empty() ? "{" : ",").append(member.raw_key).append(":").append(value);
  }
  if (!opened_.empty()) opened_ += '}';
}

}  // namespace relay

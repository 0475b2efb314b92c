#include "relay/event_facts.h"

#include <algorithm>
#include <array>

#include "relay/json_text.h"
#include "relay/tencent_event.h"

namespace relay {
namespace {

constexpr std::string_view kTencentLive = "tencent-live";
constexpr std::string_view kTencentTrtc = "tencent-trtc";
constexpr std::string_view kVolcengineLive = "volcengine-live";

struct Change {
  std::string_view provider;
  std::string_view type;
  StreamChange change;
};
// Cloud docs 267/38081 to 38083; Volcengine docs 6469/1126932.
constexpr std::array kChanges = {
    Change{kTencentLive, "1", StreamChange::kStarted},
    Change{kTencentLive, "0", StreamChange::kStopped},
    Change{kTencentLive, "100", StreamChange::kRecorded},
    Change{kTencentLive, "200", StreamChange::kCaptured},
    Change{kVolcengineLive, "push_start", StreamChange::kStarted},
    Change{kVolcengineLive, "push_end", StreamChange::kStopped},
};

struct TypeName {
  std::string_view type;
  std::string_view name;
};
// Tencent RTC's events of rooms and of media (trtc.io document 39558).
constexpr std::array kTrtcTypeNames = {
    TypeName{"101", "room_created"},      TypeName{"102", "room_dismissed"},
    TypeName{"103", "room_entered"},      TypeName{"104", "room_left"},
    TypeName{"105", "role_switched"},     TypeName{"201", "video_started"},
    TypeName{"202", "video_stopped"},     TypeName{"203", "audio_started"},
    TypeName{"204", "audio_stopped"},     TypeName{"205", "substream_started"},
    TypeName{"206", "substream_stopped"},
};

std::string_view TrtcTypeName(std::string_view type) {
  const auto found = std::find_if(kTrtcTypeNames.begin(), kTrtcTypeNames.end(),
                                  [type](const TypeName& one) { return one.type == type; });
  return found == kTrtcTypeNames.end() ? std::string_view() : found->name;
}

}  // namespace

const JsonObject& VolcengineEvent(const JsonObject& body, JsonObject& nested) {
  const JsonMember* data = body.Find("data");
  const bool is_nested = body.Find("event_type") == nullptr && data != nullptr &&
                         data->kind == JsonKind::kObject && nested.Parse(data->raw).ok();
  return is_nested ? nested : body;
}

void EventFacts::Clear() {
  type_name = {};
  account.clear();
  domain.clear();
  path.clear();
  stream.clear();
  activity.clear();
  event_time_ms = 0;
  change = StreamChange::kNone;
  media_url.clear();
}

StreamChange EventFactsReader::ChangeOf(std::string_view provider, std::string_view type) {
  const auto found = std::find_if(kChanges.begin(), kChanges.end(), [&](const Change& one) {
    return one.type == type && one.provider == provider;
  });
  return found == kChanges.end() ? StreamChange::kNone : found->change;
}

void EventFactsReader::Read(std::string_view provider, std::string_view type,
                            const JsonObject* body, EventFacts& facts) {
  facts.Clear();
  facts.change = ChangeOf(provider, type);
  if (body == nullptr) return;
  if (provider == kTencentLive) {
    ReadTencentLive(type, *body, facts);
  } else if (provider == kTencentTrtc) {
    ReadTencentTrtc(type, *body, facts);
  } else if (provider == kVolcengineLive) {
    ReadVolcengineLive(*body, facts);
  }
}

void EventFactsReader::ReadTencentLive(std::string_view type, const JsonObject& body,
                                       EventFacts& facts) {
  facts.type_name = TencentTypeName(type);
  facts.account = TencentText(TencentField::kAccount, body, buffer_);
  facts.domain = TencentText(TencentField::kDomain, body, buffer_);
  facts.path = TencentText(TencentField::kPath, body, buffer_);
  facts.stream = TencentText(TencentField::kStream, body, buffer_);
  facts.activity = TencentText(TencentField::kActivity, body, buffer_);
  facts.event_time_ms = TencentEventTimeMs(body, buffer_);
  if (facts.change == StreamChange::kRecorded) {
    facts.media_url = TextOf(body, {"video_url"}, buffer_);
  } else if (facts.change == StreamChange::kCaptured) {
    facts.media_url = TextOf(body, {"pic_full_url", "pic_url"}, buffer_);
  }
}

// The account, SdkAppId, is a header that is not kept.
void EventFactsReader::ReadTencentTrtc(std::string_view type, const JsonObject& body,
                                       EventFacts& facts) {
  facts.type_name = TrtcTypeName(type);
  facts.event_time_ms = TimeMsOf(TextOf(body, {"CallbackTs", "CallbackMsTs"}, buffer_));
  const JsonMember* info = body.Find("EventInfo");
  if (info == nullptr || info->kind != JsonKind::kObject || !nested_.Parse(info->raw).ok()) return;
  facts.stream = TextOf(nested_, {"RoomId"}, buffer_);
  const int64_t at_ms = TimeMsOf(TextOf(nested_, {"EventMsTs", "EventTs"}, buffer_));
  if (at_ms != 0) facts.event_time_ms = at_ms;
}

void EventFactsReader::ReadVolcengineLive(const JsonObject& body, EventFacts& facts) {
  const JsonObject& event = VolcengineEvent(body, nested_);
  // Its types are names already; these two are spelled as Tencent's are.
  if (facts.change == StreamChange::kStarted) facts.type_name = "push_started";
  if (facts.change == StreamChange::kStopped) facts.type_name = "push_interrupted";
  facts.domain = TextOf(event, {"domain", "vhost"}, buffer_);
  facts.path = TextOf(event, {"app"}, buffer_);
  facts.stream = TextOf(event, {"stream"}, buffer_);
  facts.activity = TextOf(event, {"sequence_id", "session_id"}, buffer_);
  facts.event_time_ms = TimeMsOf(TextOf(event, {"time_ms", "time"}, buffer_));
}

}  // namespace relay

#include "broker/providers/tencent_event.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "broker/providers/callback_text.h"

namespace relay {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kTypeNames = {{
    {"0", "push_interrupted"},
    {"1", "push_started"},
    {"100", "recording_file"},
    {"200", "screenshot"},
    {"314", "relay_task"},
    {"315", "audio_moderation"},
    {"317", "image_moderation"},
    {"321", "push_exception"},
    {"329", "streamlive_push_started"},
    {"330", "streamlive_push_interrupted"},
    {"332", "recording_status"},
    {"338", "subtitles"},
    {"341", "recording_exception"},
    {"343", "quality_control"},
    {"344", "quality_evaluation"},
    {"347", "smart_erase"},
    {"348", "summary"},
    {"349", "highlight"},
}};

// Until the year 33,658 in milliseconds.
constexpr size_t kTimeDigitsMax = 15;
// A time that is no less is one in milliseconds (from 1973), as in type 321; as seconds it would be
// the year 5138.
constexpr int64_t kMillisecondsFrom = 100'000'000'000;

int64_t EventTimeMs(const JsonObject& event, std::string& buffer) {
  const std::string_view digits = TextOf(event,
                                         {"event_time", "update_time", "create_time", "end_time",
                                          "sendTime", "screenshotTime", "data_time", "timestamp"},
                                         buffer);
  if (!AllDigits(digits) || digits.size() > kTimeDigitsMax) return 0;
  int64_t time = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), time);
  return time >= kMillisecondsFrom ? time : time * 1000;
}

}  // namespace

std::string_view TencentTypeName(std::string_view type) {
  for (const auto& [number, name] : kTypeNames) {
    if (number == type) return name;
  }
  return {};
}

void ReadTencentEvent(const JsonObject& event, std::string& buffer, CallbackFacts& facts) {
  facts.route.push_domain = TextOf(event, {"app", "domain"}, buffer);
  facts.route.appid = TextOf(event, {"appid", "appId"}, buffer);
  facts.route.stream_id =
      TextOf(event, {"stream_id", "streamId", "channel_id", "channelId"}, buffer);
  facts.route.stream_param = TextOf(event, {"stream_param"}, buffer);
  facts.ordering_key = facts.route.stream_id;
  facts.path = TextOf(event, {"appname", "path"}, buffer);
  facts.activity = TextOf(event, {"sequence", "session_id", "task_id", "seq"}, buffer);
  facts.event_time_ms = EventTimeMs(event, buffer);
}

}  // namespace relay

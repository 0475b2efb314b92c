#include "relay/tencent_event.h"

#include <array>
#include <utility>

#include "relay/json_text.h"

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

}  // namespace

std::string_view TencentTypeName(std::string_view type) {
  for (const auto& [number, name] : kTypeNames) {
    if (number == type) return name;
  }
  return {};
}

std::string_view TencentText(TencentField field, const JsonObject& event, std::string& buffer) {
  switch (field) {
    case TencentField::kDomain:
      return TextOf(event, {"app", "domain"}, buffer);
    case TencentField::kAccount:
      return TextOf(event, {"appid", "appId"}, buffer);
    case TencentField::kStream:
      return TextOf(event, {"stream_id", "streamId", "channel_id", "channelId"}, buffer);
    case TencentField::kStreamParam:
      return TextOf(event, {"stream_param"}, buffer);
    case TencentField::kPath:
      return TextOf(event, {"appname", "path"}, buffer);
    case TencentField::kActivity:
      return TextOf(event, {"sequence", "session_id", "task_id", "seq"}, buffer);
  }
  return {};
}

int64_t TencentEventTimeMs(const JsonObject& event, std::string& buffer) {
  return TimeMsOf(TextOf(event,
                         {"event_time", "update_time", "create_time", "end_time", "sendTime",
                          "screenshotTime", "data_time", "timestamp"},
                         buffer));
}

}  // namespace relay

#include "workers/formats/cloudevents_type.h"

#include <span>
#include <utility>

namespace relay {
namespace {

using TypeName = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kNoType = "relay.callback";

constexpr TypeName kTencentLive[] = {
    {"0", "com.tencent.live.stream.stopped"},
    {"1", "com.tencent.live.stream.started"},
    {"100", "com.tencent.live.recording.created"},
    {"200", "com.tencent.live.screenshot.created"},
    {"314", "com.tencent.live.pull.changed"},
    {"315", "com.tencent.live.audio.moderated"},
    {"317", "com.tencent.live.image.moderated"},
    {"321", "com.tencent.live.stream.degraded"},
    // StreamLive is a product of its own.
    {"329", "com.tencent.streamlive.stream.started"},
    {"330", "com.tencent.streamlive.stream.stopped"},
    {"332", "com.tencent.live.recording.changed"},
    {"338", "com.tencent.live.subtitles.created"},
    {"341", "com.tencent.live.recording.degraded"},
    {"343", "com.tencent.live.quality.checked"},
    {"344", "com.tencent.live.quality.evaluated"},
    {"347", "com.tencent.live.keywords.erased"},
    {"348", "com.tencent.live.summary.created"},
    {"349", "com.tencent.live.highlight.created"},
};

// Of the groups room, media and relay to CDN (trtc.io docs 39558, 54913).
constexpr TypeName kTencentTrtc[] = {
    {"101", "com.tencent.trtc.room.created"},      {"102", "com.tencent.trtc.room.dismissed"},
    {"103", "com.tencent.trtc.room.entered"},      {"104", "com.tencent.trtc.room.left"},
    {"105", "com.tencent.trtc.role.switched"},     {"201", "com.tencent.trtc.video.started"},
    {"202", "com.tencent.trtc.video.stopped"},     {"203", "com.tencent.trtc.audio.started"},
    {"204", "com.tencent.trtc.audio.stopped"},     {"205", "com.tencent.trtc.substream.started"},
    {"206", "com.tencent.trtc.substream.stopped"}, {"401", "com.tencent.trtc.relay.changed"},
};

constexpr TypeName kVolcengineLive[] = {
    {"push_start", "com.volcengine.live.stream.started"},
    {"push_end", "com.volcengine.live.stream.stopped"},
};

std::string NameOf(std::span<const TypeName> names, std::string_view type,
                   std::string_view otherwise) {
  for (const auto& [written, name] : names) {
    if (written == type) return std::string(name);
  }
  return std::string(otherwise).append(type);
}

}  // namespace

std::string CloudEventsType(std::string_view provider, std::string_view type) {
  if (type.empty() || provider.empty()) return std::string(kNoType);
  if (provider == "tencent-live") return NameOf(kTencentLive, type, "com.tencent.live.event.");
  if (provider == "tencent-trtc") return NameOf(kTencentTrtc, type, "com.tencent.trtc.event.");
  if (provider == "volcengine-live") {
    return NameOf(kVolcengineLive, type, "com.volcengine.live.event.");
  }
  return std::string(type);
}

}  // namespace relay

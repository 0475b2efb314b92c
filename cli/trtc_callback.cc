#include "cli/trtc_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

constexpr Seconds kTen(10);
constexpr std::array kTrtcRetries = {Seconds(0), kTen, kTen, kTen, kTen, kTen, kTen};

HmacHeaders HeadersUnder(std::string_view key) {
  HmacSettings scheme;
  scheme.header = "Sign";
  scheme.encoding = SignatureEncoding::kBase64;
  return std::move(HmacHeaders::Create(std::move(scheme), key)).value();
}

// "204" is of group 2, "1401" of group 14.
std::string GroupOf(const std::string& type) {
  return type.size() > 2 ? type.substr(0, type.size() - 2) : "0";
}

}  // namespace

TrtcCallbackMaker::TrtcCallbackMaker(SenderTraffic traffic, std::string sdkappid)
    : traffic_(std::move(traffic)),
      sdkappid_(std::move(sdkappid)),
      genuine_(HeadersUnder(traffic_.key)),
      forged_(HeadersUnder(traffic_.key + "-not")) {
  RELAY_CHECK(traffic_.streams > 0 && !traffic_.types.empty());
}

void TrtcCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                             ProviderCallback* callback) {
  BeginCallback(traffic_, number, kind, callback);
  callback->stream = traffic_.stream_prefix + "room" + std::to_string(number % traffic_.streams);
  callback->appid = sdkappid_;
  if (kind == CallbackKind::kExpired) now -= Seconds(kExpiredSinceSeconds);
  const int64_t ms = MillisSinceEpoch(now);
  const std::string group = GroupOf(callback->type);
  std::string& body = callback->body;
  fmt::format_to(
      std::back_inserter(body),
      FMT_COMPILE("{{\n\t\"EventGroupId\":\t{},\n\t\"EventType\":\t{},\n\t\"{}\":\t{},\n"
                  "\t\"EventInfo\":\t{{\n\t\t\"RoomId\":\t\"{}\",\n\t\t\"EventTs\":\t{},\n"
                  "\t\t\"EventMsTs\":\t{},\n"),
      group, callback->type, group == "7" ? "CallbackMsTs" : "CallbackTs", ms, callback->stream,
      ms / 1000, ms);
  if (group == "4") {
    body +=
        "\t\t\"Payload\":\t{\"Url\":\"rtmp://cdn.example/live/a\",\"Status\":2,"
        "\"ErrorCode\":0,\"ErrorMsg\":\"\"},\n";
  } else {
    body += "\t\t\"Reason\":\t0,\n";
  }
  fmt::format_to(std::back_inserter(body), FMT_COMPILE("\t\t\"UserId\":\t\"user_{}&relay_seq={}"),
                 number % 1000, callback->seq);
  constexpr std::string_view kEnding = "\"\n\t}\n}";
  AppendPadding(traffic_.body_bytes, kEnding.size(), body);
  body += kEnding;

  callback->headers = "SdkAppId: " + sdkappid_ + "\r\n";
  HmacHeaders& headers = kind == CallbackKind::kForged ? forged_ : genuine_;
  headers.Append(body, 0, "", "", "", callback->headers);
}

std::span<const Seconds> TrtcCallbackMaker::RetryPauses(const ProviderCallback&) const {
  return kTrtcRetries;
}

}  // namespace relay

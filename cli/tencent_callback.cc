#include "cli/tencent_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <utility>

#include "relay/check.h"
#include "relay/tencent_signature.h"

namespace relay {

namespace {

constexpr int64_t kAppId = 1250000000;
// The provider signs for ten minutes from the sending on.
constexpr int64_t kValiditySeconds = 600;
constexpr int64_t kExpiredSinceSeconds = 24 * 3600;
// A `sequence` has 19 digits: nine for the run, ten for the push within it.
constexpr uint64_t kPushesMax = 10'000'000'000;
constexpr uint64_t kRunNumberMin = 100'000'000;
constexpr uint64_t kRunNumbers = 800'000'000;

std::string ReplaceBraces(const std::string& pattern, int64_t number) {
  const size_t at = pattern.find("{}");
  if (at == std::string::npos) return pattern;
  return pattern.substr(0, at) + std::to_string(number) + pattern.substr(at + 2);
}

}  // namespace

// Where a callback stands in the life of its account.
struct TencentCallbackMaker::Place {
  int64_t number;
  uint64_t sequence;
  const std::string& seq;
  const std::string& stream;
  const std::string& domain;
  int64_t event_time;  // Seconds since 1970.
  int type;
};

TencentCallbackMaker::TencentCallbackMaker(TencentTraffic traffic)
    : traffic_(std::move(traffic)),
      run_number_(kRunNumberMin + std::hash<std::string>()(traffic_.run) % kRunNumbers),
      signature_(std::make_unique<TencentSignature>()) {
  RELAY_CHECK(traffic_.streams > 0 && traffic_.domains > 0 && !traffic_.types.empty());
}

TencentCallbackMaker::~TencentCallbackMaker() = default;

void TencentCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                                TencentCallback* callback) {
  const int64_t stream_number = number % traffic_.streams;
  const int64_t turn = number / traffic_.streams;
  const auto types = static_cast<int64_t>(traffic_.types.size());
  const auto push = static_cast<uint64_t>(turn / types * traffic_.streams + stream_number);

  callback->kind = kind;
  callback->type = traffic_.types[static_cast<size_t>(turn % types)];
  callback->seq = traffic_.run + "." + std::to_string(number);
  callback->stream = traffic_.stream_prefix + "stream" + std::to_string(stream_number);
  callback->domain = ReplaceBraces(traffic_.domain_pattern, stream_number % traffic_.domains);
  const Place at{number,           run_number_ * kPushesMax + push % kPushesMax,
                 callback->seq,    callback->stream,
                 callback->domain, SecondsSinceEpoch(now),
                 callback->type};

  std::string& body = callback->body;
  body.clear();
  switch (callback->type) {
    case 0:
    case 1:
      AppendPush(at, body);
      break;
    case 100:
      AppendRecording(at, body);
      break;
    case 200:
      AppendScreenshot(at, body);
      break;
    default:
      AppendOther(at, body);
  }
  AppendEnding(at, kind, body);
}

void TencentCallbackMaker::AppendPush(const Place& at, std::string& body) const {
  const bool start = at.type == 1;
  fmt::format_to(
      std::back_inserter(body),
      FMT_COMPILE(R"({{"app":"{}","appid":{},"appname":"live","channel_id":"{}","errcode":{},)"
                  R"("errmsg":"{}","event_time":{},"event_type":{},"height":{},"idc_id":34,)"
                  R"("node":"198.51.100.{}",)"),
      at.domain, kAppId, at.stream, start ? 0 : 1,
      start ? "ok" : "The push client actively stopped the push", at.event_time, at.type,
      start ? 0 : 720, at.number % 250 + 1);
  if (!start) {
    fmt::format_to(std::back_inserter(body), FMT_COMPILE(R"("push_duration":"{}",)"),
                   60'000 + at.number % 10'000);
  }
  fmt::format_to(std::back_inserter(body),
                 FMT_COMPILE(R"("sequence":"{}","set_id":2,"stream_id":"{}",)"
                             R"("user_ip":"203.0.113.{}","width":{})"),
                 at.sequence, at.stream, at.number % 200 + 1, start ? 0 : 1280);
}

void TencentCallbackMaker::AppendRecording(const Place& at, std::string& body) const {
  fmt::format_to(
      std::back_inserter(body),
      FMT_COMPILE(R"({{"event_type":100,"appid":{0},"app":"{1}",)"
                  R"("callback_ext":"{{\"video_codec\":\"h264\",\"resolution\":\"1280x720\"}}",)"
                  R"("appname":"live","stream_id":"{2}","channel_id":"{2}","file_id":"{3}",)"
                  R"("record_file_id":"{3}","file_format":"hls","start_time":{4},"end_time":{5},)"
                  R"("start_time_usec":0,"end_time_usec":0,"duration":60,"file_size":{6},)"
                  R"("video_url":"http://{0}.vod2.myqcloud.com/{7}/{3}.m3u8",)"
                  R"("media_start_time":0,"record_bps":0)"),
      kAppId, at.domain, at.stream, at.sequence, at.event_time - 60, at.event_time,
      4'000'000 + at.number % 1'000'000, at.seq);
}

void TencentCallbackMaker::AppendScreenshot(const Place& at, std::string& body) const {
  fmt::format_to(
      std::back_inserter(body),
      FMT_COMPILE(R"({{"app":"{0}","appname":"live","channel_id":"{1}","create_time":{2},)"
                  R"("event_type":200,"file_size":30670,"height":720,)"
                  R"("pic_full_url":"http://shots.cos.example/{1}/{3}-1280x720.jpg",)"
                  R"("pic_url":"/{1}/{3}-1280x720.jpg","stream_id":"{1}","task_id":"{4}",)"
                  R"("width":1280)"),
      at.domain, at.stream, at.event_time, at.seq, at.sequence);
}

void TencentCallbackMaker::AppendOther(const Place& at, std::string& body) const {
  fmt::format_to(std::back_inserter(body),
                 FMT_COMPILE(R"({{"appid":{},"appname":"live","domain":"{}","event_time":{},)"
                             R"("event_type":{},"interface":"general_callback","seq":"{}",)"
                             R"("stream_id":"{}")"),
                 kAppId, at.domain, at.event_time, at.type, at.sequence, at.stream);
}

// stream_param, sign and t: what every family carries. The padding stands in stream_param too,
// where a real push URL may carry as much as it likes.
void TencentCallbackMaker::AppendEnding(const Place& at, CallbackKind kind, std::string& body) {
  int64_t t = at.event_time + kValiditySeconds;
  if (kind == CallbackKind::kExpired) t = at.event_time - kExpiredSinceSeconds;
  fmt::format_to(std::back_inserter(body),
                 FMT_COMPILE(R"(,"stream_param":"txSecret={:016x}&txTime={:08X}&relay_seq={})"),
                 at.sequence, static_cast<uint64_t>(at.event_time), at.seq);
  if (!traffic_.stream_param.empty()) {
    body += '&';
    body += traffic_.stream_param;
  }
  std::string ending = fmt::format(FMT_COMPILE(R"(","sign":"{}","t":{}}})"), Sign(kind, t), t);
  constexpr std::string_view kPadding = "&pad=";
  const auto wanted = static_cast<size_t>(traffic_.body_bytes);
  const size_t bytes = body.size() + ending.size() + kPadding.size();
  if (bytes < wanted) {
    body += kPadding;
    body.append(wanted - bytes, 'x');
  }
  body += ending;
}

const std::string& TencentCallbackMaker::Sign(CallbackKind kind, int64_t t) {
  Signed& last = last_signed_[static_cast<size_t>(kind)];
  if (last.t != t) {
    const bool forged = kind == CallbackKind::kForged;
    last.sign = signature_->Sign(forged ? traffic_.key + "-not" : traffic_.key, std::to_string(t));
    last.t = t;
  }
  return last.sign;
}

}  // namespace relay

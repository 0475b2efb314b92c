#include "broker/providers/tencent_trtc.h"

#include <charconv>
#include <cstdint>

#include "broker/providers/callback_text.h"
#include "relay/json_text.h"

namespace relay {
namespace {

// Milliseconds since 1970 until the year 33,658.
constexpr size_t kEventTimeDigitsMax = 15;

HmacSettings TrtcScheme() {
  HmacSettings out;
  out.header = "Sign";
  out.encoding = SignatureEncoding::kBase64;
  return out;
}

}  // namespace

TencentTrtc::TencentTrtc(const Source& source)
    : signature_(TrtcScheme(), source.tolerance, source.keys) {}

Verdict TencentTrtc::Verify(const HttpRequest& request, const Source& source, WallTime now,
                            CallbackFacts& facts) {
  facts.Clear();
  Verdict verdict = signature_.Judge(request, now);
  if (verdict.authenticity != Authenticity::kAuthentic) return verdict;
  if (!callback_.Parse(request.body).ok()) {
    return {Authenticity::kMalformed, "body is not a JSON object we take"};
  }
  verdict = JudgeTime(source, now);
  if (verdict.authenticity != Authenticity::kAuthentic || ReadFacts(request, facts)) return verdict;
  facts.Clear();
  return {Authenticity::kMalformed, "EventType is no number"};
}

Verdict TencentTrtc::JudgeTime(const Source& source, WallTime now) {
  const std::string_view digits = TextOf(callback_, {"CallbackTs", "CallbackMsTs"}, buffer_);
  if (digits.empty()) return {};  // Nobody can take it away: the signature covers the body.
  if (!AllDigits(digits) || digits.size() > kEventTimeDigitsMax) {
    return {Authenticity::kMalformed, "CallbackTs is no whole number of milliseconds"};
  }
  int64_t ms = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), ms);
  const WallTime sent = WallTime(Millis(ms));
  if (now > sent + source.grace || now < sent - source.grace) {
    return {Authenticity::kExpired, "CallbackTs is further from now than the source's grace"};
  }
  return {};
}

bool TencentTrtc::ReadFacts(const HttpRequest& request, CallbackFacts& facts) {
  facts.type = TextOf(callback_, {"EventType"}, buffer_);
  if (!facts.type.empty() && !AllDigits(facts.type)) return false;
  if (!IsEventTypeName(facts.type)) return false;
  facts.route.appid = request.Header("SdkAppId");
  // A retry may be sent under a new CallbackTs. It may be left out of the key only where the event
  // has a time of its own, or two events could be held for one.
  const JsonMember* info = callback_.Find("EventInfo");
  const bool has_info =
      info != nullptr && info->kind == JsonKind::kObject && info_.Parse(info->raw).ok();
  if (has_info) {
    facts.route.stream_id = TextOf(info_, {"RoomId"}, buffer_);
    facts.ordering_key = facts.route.stream_id;
  }
  if (has_info && info_.Find("EventMsTs") != nullptr) {
    WriteBodyKey(callback_, {"CallbackTs", "CallbackMsTs"}, facts.dedupe_key);
  } else {
    WriteBodyKey(request.body, facts.dedupe_key);
  }
  return true;
}

}  // namespace relay

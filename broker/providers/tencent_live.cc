#include "broker/providers/tencent_live.h"

#include <algorithm>

#include "broker/providers/callback_text.h"
#include "relay/json_text.h"
#include "relay/tencent_event.h"

namespace relay {
namespace {

// More than any event type; the sign counts.
constexpr size_t kTypeDigitsMax = 20;

bool IsInteger(std::string_view text) {
  return AllDigits(text.starts_with('-') ? text.substr(1) : text) && text.size() <= kTypeDigitsMax;
}

// False when one of them is empty.
bool AppendAll(std::initializer_list<std::string_view> texts, std::string& key) {
  for (const std::string_view text : texts) {
    if (text.empty()) return false;
    AppendWithLength(text, key);
  }
  return true;
}

}  // namespace

Verdict TencentLive::Verify(const HttpRequest& request, const Source& source, WallTime now,
                            CallbackFacts& facts) {
  facts.Clear();
  const Verdict verdict = Judge(request.body, source, now);
  if (verdict.authenticity != Authenticity::kAuthentic || ReadFacts(facts)) return verdict;
  facts.Clear();
  return {Authenticity::kMalformed, "event_type is no integer"};
}

Verdict TencentLive::Judge(std::string_view body, const Source& source, WallTime now) {
  if (!callback_.Parse(body).ok()) {
    return {Authenticity::kMalformed, "body is not a JSON object we take"};
  }
  if (MayComeUnsigned(source)) return {};
  return sign_.Judge(callback_, source, now);
}

// Some families come without a signature. Where there is half of one, it is no such callback.
bool TencentLive::MayComeUnsigned(const Source& source) {
  if (source.unsigned_types.empty()) return false;
  if (callback_.Find("t") != nullptr || callback_.Find("sign") != nullptr) return false;
  const std::string_view type = TextOf({"event_type"});
  const auto& types = source.unsigned_types;
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool TencentLive::ReadFacts(CallbackFacts& facts) {
  if (const JsonMember* type = callback_.Find("event_type")) {
    if (type->kind != JsonKind::kNumber && type->kind != JsonKind::kString) return false;
    facts.type = TextOf({"event_type"});
    if (!IsInteger(facts.type)) return false;
  }
  facts.route.push_domain = TencentText(TencentField::kDomain, callback_, text_buffer_);
  facts.route.appid = TencentText(TencentField::kAccount, callback_, text_buffer_);
  facts.route.stream_id = TencentText(TencentField::kStream, callback_, text_buffer_);
  facts.route.stream_param = TencentText(TencentField::kStreamParam, callback_, text_buffer_);
  facts.ordering_key = facts.route.stream_id;
  WriteDedupeKey(facts);
  return true;
}

std::string_view TencentLive::TextOf(std::initializer_list<std::string_view> names) {
  return relay::TextOf(callback_, names, text_buffer_);
}

// Two callbacks that are held for one lose an event; one that is held for two only repeats it. So
// the fields identify a callback when every one of them is there, and else the whole body does.
void TencentLive::WriteDedupeKey(CallbackFacts& facts) {
  std::string& key = facts.dedupe_key;
  key.assign(1, 'f');
  AppendWithLength(facts.type, key);
  const RouteAttributes& at = facts.route;
  bool whole = false;
  if (facts.type == "0" || facts.type == "1") {
    // `sequence` names one push; its start and its end carry the same.
    whole = AppendAll({at.appid, at.push_domain}, key) &&
            AppendAll({TencentText(TencentField::kPath, callback_, text_buffer_)}, key) &&
            AppendAll({at.stream_id}, key) && AppendAll({TextOf({"sequence", "seq"})}, key);
  } else if (facts.type == "100") {
    // One push gives a file for each format and each slice.
    whole = AppendAll({at.stream_id}, key) && AppendAll({TextOf({"file_id"})}, key) &&
            AppendAll({TextOf({"video_url"})}, key);
  } else if (facts.type == "200") {
    // A picture's name has the time of day and not the day.
    whole = AppendAll({at.stream_id}, key) && AppendAll({TextOf({"create_time"})}, key) &&
            AppendAll({TextOf({"pic_url", "pic_full_url"})}, key);
  }
  if (!whole) WriteBodyKey(callback_, {"t", "sign"}, key);
}

}  // namespace relay

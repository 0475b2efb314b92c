#include "broker/providers/tencent_live.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace relay {
namespace {

// Seconds since 1970 until the year 33,658: what is longer is no time.
constexpr size_t kTimeDigitsMax = 12;
// More than any event type; the sign counts.
constexpr size_t kTypeDigitsMax = 20;

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsInteger(std::string_view text) {
  return AllDigits(text.starts_with('-') ? text.substr(1) : text) && text.size() <= kTypeDigitsMax;
}

void AppendWithLength(std::string_view text, std::string& out) {
  const auto size = static_cast<uint32_t>(text.size());
  const char head[4] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                        static_cast<char>(size >> 8), static_cast<char>(size)};
  out.append(head, sizeof(head)).append(text);
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
  const JsonMember* t = callback_.Find("t");
  const JsonMember* sign = callback_.Find("sign");
  if (t == nullptr) return {Authenticity::kUnsigned, "no t"};
  if (sign == nullptr) return {Authenticity::kUnsigned, "no sign"};
  if (t->kind != JsonKind::kNumber && t->kind != JsonKind::kString) {
    return {Authenticity::kMalformed, "t is neither number nor string"};
  }
  if (sign->kind != JsonKind::kString) return {Authenticity::kMalformed, "sign is no string"};

  // The MD5 is over the digits as they stand in the body, so they are never taken through a number
  // and back.
  const std::string_view digits = t->kind == JsonKind::kString ? t->StringValue(t_buffer_) : t->raw;
  if (!AllDigits(digits)) return {Authenticity::kMalformed, "t is no whole number of seconds"};
  if (digits.size() > kTimeDigitsMax) return {Authenticity::kMalformed, "t is out of range"};
  const std::string_view given = sign->StringValue(text_buffer_);
  if (given.empty()) return {Authenticity::kUnsigned, "sign is empty"};
  if (!signature_.Verify(source.keys, digits, given)) {
    return {Authenticity::kForged, "sign was made with none of the source's keys"};
  }

  int64_t seconds = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  const WallTime expiry = WallTime(Seconds(seconds));
  // The provider's last retries come after 12 minutes, and may carry the `t` of the first sending.
  if (now > expiry + source.grace) {
    return {Authenticity::kExpired, "t and the source's grace have passed"};
  }
  if (expiry > now + kValidityMax) {
    return {Authenticity::kMalformed, "t lies more than a day ahead"};
  }
  return {};
}

bool TencentLive::ReadFacts(CallbackFacts& facts) {
  if (const JsonMember* type = callback_.Find("event_type")) {
    if (type->kind != JsonKind::kNumber && type->kind != JsonKind::kString) return false;
    facts.type = TextOf({"event_type"});
    if (!IsInteger(facts.type)) return false;
  }
  // The names differ between the families of events: docs of types 314, 315, 317, 321, 332, 341.
  facts.route.push_domain = TextOf({"app", "domain"});
  facts.route.appid = TextOf({"appid", "appId"});
  facts.route.stream_id = TextOf({"stream_id", "streamId", "channel_id", "channelId"});
  facts.route.stream_param = TextOf({"stream_param"});
  facts.ordering_key = facts.route.stream_id;
  WriteDedupeKey(facts);
  return true;
}

std::string_view TencentLive::TextOf(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const JsonMember* member = callback_.Find(name);
    if (member == nullptr) continue;
    if (member->kind == JsonKind::kNumber) return member->raw;
    if (member->kind == JsonKind::kString) return member->StringValue(text_buffer_);
  }
  return {};
}

// Two callbacks that are held for one lose an event; one that is held for two only repeats it. So
// the fields identify a callback when every one of them is there, and else the whole body does.
void TencentLive::WriteDedupeKey(CallbackFacts& facts) {
  std::string& key = facts.dedupe_key;
  key.assign(1, 'f');
  AppendWithLength(facts.type, key);
  bool whole = false;
  if (facts.type == "0" || facts.type == "1") {
    // `sequence` names one push; its start and its end carry the same.
    whole = AppendIdentity({{"appid"}, {"app"}, {"appname"}, {"stream_id"}, {"sequence"}}, key);
  } else if (facts.type == "100") {
    // One push gives a file for each format and each slice.
    whole = AppendIdentity({{"stream_id"}, {"file_id"}, {"video_url"}}, key);
  } else if (facts.type == "200") {
    // A picture's name has the time of day and not the day.
    whole = AppendIdentity({{"stream_id"}, {"create_time"}, {"pic_url", "pic_full_url"}}, key);
  }
  if (!whole) WriteBodyKey(key);
}

bool TencentLive::AppendIdentity(
    std::initializer_list<std::initializer_list<std::string_view>> fields, std::string& key) {
  for (const auto& names : fields) {
    const std::string_view text = TextOf(names);
    if (text.empty()) return false;
    AppendWithLength(text, key);
  }
  return true;
}

// SHA-256 of the body without the members `t` and `sign`, which change with every sending.
void TencentLive::WriteBodyKey(std::string& key) {
  const std::string_view body = callback_.bytes();
  size_t hashed = 0;
  for (const JsonMember& member : callback_.members()) {
    if (member.key != "t" && member.key != "sign") continue;
    const size_t begin = member.raw_key.data() - body.data();
    sha256_.Update(body.substr(hashed, begin - hashed));
    hashed = member.raw.data() + member.raw.size() - body.data();
  }
  sha256_.Update(body.substr(hashed));
  const Sha256::Digest digest = sha256_.Finish();
  key.assign(1, 'b');
  key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace relay

#include "broker/providers/expiring_sign.h"

#include <charconv>
#include <cstdint>

#include "relay/json_text.h"

namespace relay {
namespace {

// Seconds since 1970 until the year 33,658: what is longer is no time.
constexpr size_t kTimeDigitsMax = 12;

}  // namespace

Verdict ExpiringSign::Judge(const JsonObject& callback, const Source& source, WallTime now) {
  const JsonMember* t = callback.Find("t");
  const JsonMember* sign = callback.Find("sign");
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
  const std::string_view given = sign->StringValue(sign_buffer_);
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

}  // namespace relay

#pragma once

#include <string>

#include "broker/providers/provider.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"

namespace relay {

// The signature that Tencent Cloud live and Volcengine Live share: the members `t` and `sign` of
// the body, sign = MD5(key + t). `t` is when the signature expires, in seconds since 1970, not when
// it was made; it comes as a number or as a string. It does not cover the body.
class ExpiringSign {
 public:
  // An honest `t` lies 10 minutes ahead. A signature good for longer than this is refused: it could
  // be played back for as long, and `sign` does not cover the body.
  static constexpr Millis kValidityMax = std::chrono::hours(24);

  // Judges by all keys of the source, and by its grace.
  Verdict Judge(const JsonObject& callback, const Source& source, WallTime now);

 private:
  TencentSignature signature_;
  std::string t_buffer_;
  std::string sign_buffer_;
};

}  // namespace relay

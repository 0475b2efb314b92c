#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/json_object.h"
#include "relay/status.h"
#include "relay/tencent_signature.h"

namespace relay {

// Signs a stored callback anew for a receiver that was written for Tencent Cloud: `t` becomes the
// new expiry and `sign` is made with the customer's key, so that the receiver works unchanged even
// for a retry at hour 20 and never learns the provider's key. Every other byte stays.
//
// One object serves one body after the other. Not thread-safe.
class TencentFormat {
 public:
  // `body` with the values of its top-level members `t` and `sign` replaced where they stand; an
  // absent one is inserted before the last '}'. `t` stays a string where it was one and is a number
  // otherwise. InvalidArgument when the body is not a JSON object.
  Result<std::string> Sign(std::string_view body, std::string_view key, int64_t expires_s);

 private:
  JsonObject object_;
  TencentSignature signature_;
};

}  // namespace relay

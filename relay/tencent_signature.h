#pragma once

#include <span>
#include <string>
#include <string_view>

#include "relay/json_object.h"

namespace relay {

// The signature of Tencent Cloud live callbacks: sign = MD5(key + t), where `t` is the expiry in
// seconds since 1970, exactly as its digits stand in the body (cloud docs 267/38081). It does not
// cover the body.
class TencentSignature {
 public:
  // 32 lower-case hexadecimal digits.
  std::string Sign(std::string_view key, std::string_view t_digits) const;
  // Whether `sign` (hexadecimal, either case) is that of `t_digits` under one of `keys`. All keys
  // are tried, and each comparison takes the same time whatever differs. Allocates nothing.
  bool Verify(std::span<const std::string> keys, std::string_view t_digits,
              std::string_view sign) const;
};

// The body of `callback` with the value of its top-level `t` replaced by 0 and that of `sign` by
// "": what stays the same when the same callback is signed anew, by the provider or by a delivery
// in tencent format.
std::string BlankSignature(const JsonObject& callback);
// The same for bytes; those that are not a JSON object come back unchanged.
std::string BlankSignature(std::string_view body);

}  // namespace relay

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "broker/providers/expiring_sign.h"
#include "broker/providers/provider.h"
#include "relay/json_object.h"

namespace relay {

// Callbacks of Tencent Cloud live (cloud docs 267/38080, 267/38081): a JSON object whose members
// `t` and `sign` sign it (expiring_sign.h).
//
// Every event type is taken, known or not: the provider adds new ones without notice. Types that
// the source names in `unsigned_types` are taken without `t` and `sign` as well.
class TencentLive final : public Provider {
 public:
  explicit TencentLive(const Source&) {}

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;

 private:
  Verdict Judge(std::string_view body, const Source& source, WallTime now);
  bool MayComeUnsigned(const Source& source);
  bool ReadFacts(CallbackFacts& facts);
  // As in json_text.h; the view lives until the next call.
  std::string_view TextOf(std::initializer_list<std::string_view> names);
  void WriteDedupeKey(CallbackFacts& facts);

  JsonObject callback_;
  ExpiringSign sign_;
  std::string text_buffer_;
};

}  // namespace relay

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/providers/provider.h"
#include "relay/json_object.h"
#include "relay/sha256.h"
#include "relay/tencent_signature.h"

namespace relay {

// Callbacks of Tencent Cloud live (cloud docs 267/38080, 267/38081): a JSON object whose members
// `t` and `sign` sign it, sign = MD5(key + t). `t` is when the signature expires, not when it was
// made; the provider sends it as a number, older versions as a string.
//
// Every event type is taken, known or not: the provider adds new ones without notice.
class TencentLive final : public Provider {
 public:
  // An honest `t` lies 10 minutes ahead. A signature good for longer than this is refused: it could
  // be played back for as long, and `sign` does not cover the body.
  static constexpr Millis kValidityMax = std::chrono::hours(24);

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;
  std::string_view acknowledgement() const override { return "{\"code\":0}"; }

 private:
  Verdict Judge(std::string_view body, const Source& source, WallTime now);
  bool ReadFacts(CallbackFacts& facts);
  // The text of the first of `names` that is there as a string or a number; empty when none is. The
  // view lives until the next call.
  std::string_view TextOf(std::initializer_list<std::string_view> names);
  bool AppendIdentity(std::initializer_list<std::initializer_list<std::string_view>> fields,
                      std::string& key);
  void WriteDedupeKey(CallbackFacts& facts);
  void WriteBodyKey(std::string& key);

  JsonObject callback_;
  TencentSignature signature_;
  Sha256 sha256_;
  std::string t_buffer_;
  std::string text_buffer_;
};

}  // namespace relay

#pragma once

#include <string>

#include "broker/providers/hmac_signature.h"
#include "broker/providers/provider.h"
#include "relay/json_object.h"

namespace relay {

// Callbacks of Tencent RTC (trtc.io docs 54912, 39558): the header Sign is base64 of HMAC-SHA256
// over the body as it came, with its tabs and line ends. The only time that is signed is the
// member CallbackTs (CallbackMsTs), in ms: a callback is taken until the source's grace after it.
// The type is EventType; events of one room are ordered by RoomId.
//
// The header SdkAppId, by which a source may route, is not signed.
class TencentTrtc final : public Provider {
 public:
  explicit TencentTrtc(const Source& source);

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;

 private:
  Verdict JudgeTime(const Source& source, WallTime now);
  bool ReadFacts(const HttpRequest& request, CallbackFacts& facts);

  HmacSignature signature_;
  JsonObject callback_;
  JsonObject info_;
  std::string buffer_;
};

}  // namespace relay

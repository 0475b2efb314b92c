#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/callback_maker.h"
#include "cli/hmac_callback.h"

namespace relay {

// Callbacks of Tencent RTC (trtc.io docs 54912, 39558): pretty-printed JSON, signed over its bytes
// by the header Sign. Streams are rooms, types numbers of EventType, whose hundreds are the group
// of events. relay_seq stands in UserId, which is free text.
class TrtcCallbackMaker final : public CallbackMaker {
 public:
  // Requires: at least one stream and type, which are numbers; `sdkappid` is one too.
  TrtcCallbackMaker(SenderTraffic traffic, std::string sdkappid);

  void Make(int64_t number, CallbackKind kind, WallTime now, ProviderCallback* callback) override;
  // At once, then every 10 s until a minute after the first. The bytes stay the same.
  std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const override;
  Seconds AnswerWithin() const override { return Seconds(5); }

 private:
  const SenderTraffic traffic_;
  const std::string sdkappid_;
  HmacHeaders genuine_;
  HmacHeaders forged_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/callback_maker.h"
#include "relay/status.h"
#include "relay/webhook_signature.h"

namespace relay {

// Callbacks by the Standard Webhooks specification: JSON with the members `type`, `timestamp` and
// `data`, signed by three headers. What is sent again keeps its id and is signed anew.
class WebhookCallbackMaker final : public CallbackMaker {
 public:
  // InvalidArgument when the key is no "whsec_..." secret. Requires: at least one stream and type.
  static Result<std::unique_ptr<CallbackMaker>> Create(SenderTraffic traffic);

  void Make(int64_t number, CallbackKind kind, WallTime now, ProviderCallback* callback) override;
  void SignAgain(WallTime now, ProviderCallback* callback) override;
  // After 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h: the specification asks for some days with
  // growing pauses and names no numbers, so these are ours.
  std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const override;
  Seconds AnswerWithin() const override { return Seconds(15); }

 private:
  WebhookCallbackMaker(SenderTraffic traffic, WebhookSigner genuine, WebhookSigner forged);

  const SenderTraffic traffic_;
  const std::string run_id_;
  const WebhookSigner genuine_;
  const WebhookSigner forged_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>

#include "cli/callback_maker.h"
#include "relay/tencent_signature.h"

namespace relay {

// Callbacks of Volcengine Live (volcengine.com/docs/6469/1126932), signed by `t` and `sign` as
// Tencent's are. Types are texts (push_start). relay_seq stands in the query of fp_user_url.
class VolcengineCallbackMaker final : public CallbackMaker {
 public:
  // "{}" in the pattern stands for the number of the domain, from 0.
  // Requires: at least one stream, type and domain.
  VolcengineCallbackMaker(SenderTraffic traffic, int64_t domains, std::string domain_pattern);

  void Make(int64_t number, CallbackKind kind, WallTime now, ProviderCallback* callback) override;
  // Three times after 3 s, then every minute until ten minutes after the first: how far apart the
  // later ones are the provider does not say. The bytes stay the same.
  std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const override;
  Seconds AnswerWithin() const override { return Seconds(4); }

 private:
  const SenderTraffic traffic_;
  const int64_t domains_;
  const std::string domain_pattern_;
  const uint64_t run_number_;
  TencentSignature signature_;
};

}  // namespace relay

#pragma once

#include <string>

#include "broker/providers/hmac_signature.h"
#include "broker/providers/provider.h"
#include "relay/json_object.h"

namespace relay {

// Callbacks by the Standard Webhooks specification, scheme v1: HMAC-SHA256 over
// "<webhook-id>.<webhook-timestamp>.<body>" under a secret in its "whsec_" form. The id, which the
// signature covers, names a callback through all its sendings; the type is the member `type`.
class StandardWebhooks final : public Provider {
 public:
  explicit StandardWebhooks(const Source& source);

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;

 private:
  HmacSignature signature_;
  JsonObject callback_;
  std::string buffer_;
};

}  // namespace relay

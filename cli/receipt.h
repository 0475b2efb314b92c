#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/callback_reader.h"
#include "cli/wrapped_callback.h"
#include "relay/clock.h"
#include "relay/http_request.h"
#include "relay/status.h"
#include "relay/tencent_signature.h"
#include "relay/webhook_signature.h"

namespace relay {

// The whole of `text` as a number, or `otherwise` where it is none.
int64_t NumberOr(std::string_view text, int64_t otherwise);

// Reads a webhook as a customer's server does, and writes it down for the accountant. One at a
// time: what Read() found stands until the next call.
class ReceiptReader {
 public:
  enum class Signature { kNone, kOk, kBad };

  // Any of the secrets ("whsec_...") may have signed, and any of the keys a body with `t` and
  // `sign`. InvalidArgument says which of the secrets is wrong.
  static Result<std::unique_ptr<ReceiptReader>> Create(const std::vector<std::string>& secrets,
                                                       std::vector<std::string> tencent_keys);

  // Returns what the signature is worth.
  Signature Read(const HttpRequest& request, WallTime now);
  // Appends the line about what was read last: the same `request`, and what is answered to it (0:
  // nothing).
  void AppendLine(const HttpRequest& request, int status, WallTime now, std::string& lines) const;

 private:
  ReceiptReader(std::optional<WebhookSigner> signer, std::vector<std::string> tencent_keys);
  Signature Verify(const HttpRequest& request, WallTime now);

  WrappedCallback wrapped_;
  CallbackReader reader_;
  std::optional<WebhookSigner> signer_;
  TencentSignature tencent_;
  const std::vector<std::string> tencent_keys_;
  const CallbackReading* reading_ = nullptr;
  Signature signature_ = Signature::kNone;
};

}  // namespace relay

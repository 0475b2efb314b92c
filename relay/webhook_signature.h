#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

inline constexpr size_t kWebhookSecretBytesMin = 24;
inline constexpr size_t kWebhookSecretBytesMax = 64;
// What one signature header is made with.
inline constexpr size_t kWebhookSecretsMax = 4;

// Decodes a Standard Webhooks secret, "whsec_" and base64 of 24 to 64 bytes, to its bytes.
// InvalidArgument says what is wrong and never repeats the secret.
Result<std::string> DecodeWebhookSecret(std::string_view text);

// What a webhook's headers came to.
enum class WebhookVerdict {
  kAuthentic,
  kForged,    // No signature of the list was made with one of the secrets.
  kUnsigned,  // A header is missing or empty.
  kExpired,   // The timestamp is further from now than the tolerance, or is no number.
};

// Signs and verifies webhooks by the Standard Webhooks specification, scheme v1 (symmetric):
// HMAC-SHA256 over "<id>.<timestamp>.<body>", base64. With several secrets, as during a rotation,
// the signature is a list with one entry for each, so that a receiver that knows any of them is
// content. The keyed state is made once, at creation. Movable. One thread at a time.
class WebhookSigner {
 public:
  // One to kWebhookSecretsMax secrets in their "whsec_" form. InvalidArgument tells which is wrong,
  // by position.
  static Result<WebhookSigner> Create(const std::vector<std::string>& secrets);
  WebhookSigner(WebhookSigner&&) noexcept;
  WebhookSigner& operator=(WebhookSigner&&) noexcept;
  ~WebhookSigner();

  // Appends the value of webhook-signature, "v1,<base64>" for each secret, blank between them.
  // `id` holds no '.', or two different triples could give the same bytes.
  void AppendSignature(std::string_view id, int64_t timestamp_s, std::string_view body,
                       std::string& out) const;

  // Checks what a receiver got. Signatures are compared in constant time; entries of other schemes
  // ("v1a,...") are passed over.
  WebhookVerdict Verify(std::string_view id, std::string_view timestamp, std::string_view signature,
                        std::string_view body, WallTime now,
                        Seconds tolerance = Seconds(300)) const;

 private:
  struct Keys;
  explicit WebhookSigner(std::unique_ptr<Keys> keys);
  std::unique_ptr<Keys> keys_;
};

}  // namespace relay

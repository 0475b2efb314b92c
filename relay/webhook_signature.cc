#include "relay/webhook_signature.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>

#include "relay/base64.h"
#include "relay/c_handle.h"
#include "relay/check.h"

namespace relay {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr size_t kDigestBase64Bytes = 44;
// A list longer than this is no honest sender's; it bounds the work that a request can cause.
constexpr size_t kSignaturesMax = 16;
constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::string_view kSchemePrefix = "v1,";

using Digest = std::array<unsigned char, kDigestBytes>;
using MacPtr = std::unique_ptr<EVP_MAC, FreeWith<EVP_MAC_free>>;
using MacContextPtr = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;

// The context is keyed once; starting it again without a key keeps that key, which saves fetching
// the algorithm and hashing both pads for every signature.
MacContextPtr NewKeyedContext(EVP_MAC* mac, std::string_view key) {
  MacContextPtr context(EVP_MAC_CTX_new(mac));
  RELAY_CHECK(context);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  RELAY_CHECK(EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key.data()),
                           key.size(), params) == 1);
  return context;
}

void UpdateMac(EVP_MAC_CTX* context, std::string_view bytes) {
  RELAY_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(bytes.data()),
                             bytes.size()) == 1);
}

Digest Mac(EVP_MAC_CTX* context, std::string_view id, std::string_view timestamp,
           std::string_view body) {
  RELAY_CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
  UpdateMac(context, id);
  UpdateMac(context, ".");
  UpdateMac(context, timestamp);
  UpdateMac(context, ".");
  UpdateMac(context, body);
  Digest digest;
  size_t size = 0;
  RELAY_CHECK(EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1);
  RELAY_CHECK(size == digest.size());
  return digest;
}

// The digests of the list's v1 entries. What does not decode is passed over: it matches nothing.
std::vector<std::string> DecodeSignatures(std::string_view list) {
  std::vector<std::string> digests;
  while (!list.empty() && digests.size() < kSignaturesMax) {
    const size_t blank = list.find(' ');
    const std::string_view entry = list.substr(0, blank);
    list.remove_prefix(blank == std::string_view::npos ? list.size() : blank + 1);
    if (entry.substr(0, kSchemePrefix.size()) != kSchemePrefix) continue;
    std::string digest;
    if (DecodeBase64(entry.substr(kSchemePrefix.size()), digest) && digest.size() == kDigestBytes) {
      digests.push_back(std::move(digest));
    }
  }
  return digests;
}

}  // namespace

Result<std::string> DecodeWebhookSecret(std::string_view text) {
  if (text.substr(0, kSecretPrefix.size()) != kSecretPrefix) {
    return Status::InvalidArgument("does not begin with \"whsec_\"");
  }
  std::string bytes;
  if (!DecodeBase64(text.substr(kSecretPrefix.size()), bytes)) {
    return Status::InvalidArgument("is not base64 after \"whsec_\"");
  }
  if (bytes.size() < kWebhookSecretBytesMin || bytes.size() > kWebhookSecretBytesMax) {
    return Status::InvalidArgument("holds " + std::to_string(bytes.size()) +
                                   " bytes; 24 to 64 are needed");
  }
  return bytes;
}

struct WebhookSigner::Keys {
  std::vector<MacContextPtr> contexts;
};

WebhookSigner::WebhookSigner(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
WebhookSigner::WebhookSigner(WebhookSigner&&) noexcept = default;
WebhookSigner& WebhookSigner::operator=(WebhookSigner&&) noexcept = default;
WebhookSigner::~WebhookSigner() = default;

Result<WebhookSigner> WebhookSigner::Create(const std::vector<std::string>& secrets) {
  if (secrets.empty() || secrets.size() > kWebhookSecretsMax) {
    return Status::InvalidArgument("one to four secrets are needed");
  }
  // The contexts hold the algorithm from here on.
  const MacPtr mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  RELAY_CHECK(mac);
  auto keys = std::make_unique<Keys>();
  for (size_t i = 0; i < secrets.size(); ++i) {
    Result<std::string> key = DecodeWebhookSecret(secrets[i]);
    if (!key.ok()) {
      return Status::InvalidArgument("secret " + std::to_string(i + 1) + " " + key.status().text());
    }
    keys->contexts.push_back(NewKeyedContext(mac.get(), *key));
    OPENSSL_cleanse(key->data(), key->size());
  }
  return WebhookSigner(std::move(keys));
}

void WebhookSigner::AppendSignature(std::string_view id, int64_t timestamp_s, std::string_view body,
                                    std::string& out) const {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, timestamp_s).ptr;
  const std::string_view timestamp(digits, size_t(end - digits));
  bool first = true;
  for (const MacContextPtr& context : keys_->contexts) {
    const Digest digest = Mac(context.get(), id, timestamp, body);
    unsigned char text[kDigestBase64Bytes + 1];
    EVP_EncodeBlock(text, digest.data(), int(digest.size()));
    if (!first) out += ' ';
    first = false;
    out += kSchemePrefix;
    out.append(reinterpret_cast<const char*>(text), kDigestBase64Bytes);
  }
}

WebhookVerdict WebhookSigner::Verify(std::string_view id, std::string_view timestamp,
                                     std::string_view signature, std::string_view body,
                                     WallTime now, Seconds tolerance) const {
  if (id.empty() || timestamp.empty() || signature.empty()) return WebhookVerdict::kUnsigned;
  int64_t sent_s = 0;
  const auto [end, error] =
      std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), sent_s);
  if (error != std::errc() || end != timestamp.data() + timestamp.size() || sent_s < 0) {
    return WebhookVerdict::kExpired;
  }
  const int64_t now_s = SecondsSinceEpoch(now);
  if (sent_s < now_s - tolerance.count() || sent_s > now_s + tolerance.count()) {
    return WebhookVerdict::kExpired;
  }
  // Every pair is compared, so that the time tells nothing about which one matched.
  unsigned matches = 0;
  const std::vector<std::string> given = DecodeSignatures(signature);
  for (const MacContextPtr& context : keys_->contexts) {
    const Digest wanted = Mac(context.get(), id, timestamp, body);
    for (const std::string& digest : given) {
      matches |= CRYPTO_memcmp(digest.data(), wanted.data(), wanted.size()) == 0;
    }
  }
  return matches ? WebhookVerdict::kAuthentic : WebhookVerdict::kForged;
}

}  // namespace relay

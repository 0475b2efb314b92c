#include "relay/tencent_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>
#include <cstdint>

#include "relay/c_handle.h"
#include "relay/check.h"
#include "relay/sha256.h"

namespace relay {
namespace {

constexpr size_t kDigestSize = 16;
using Digest = std::array<uint8_t, kDigestSize>;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool DecodeHex(std::string_view text, Digest& out) {
  if (text.size() != 2 * kDigestSize) return false;
  for (size_t i = 0; i < kDigestSize; ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace

struct TencentSignature::Impl {
  // Freed in the opposite order.
  std::unique_ptr<OSSL_LIB_CTX, FreeWith<OSSL_LIB_CTX_free>> library;
  std::unique_ptr<OSSL_PROVIDER, FreeWith<OSSL_PROVIDER_unload>> provider;
  std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>> md5;
  std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context;

  Digest Compute(std::string_view key, std::string_view t_digits) {
    Digest digest;
    RELAY_CHECK(EVP_DigestInit_ex2(context.get(), md5.get(), nullptr) == 1 &&
                EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
                EVP_DigestUpdate(context.get(), t_digits.data(), t_digits.size()) == 1 &&
                EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
    return digest;
  }
};

TencentSignature::TencentSignature() : impl_(std::make_unique<Impl>()) {
  impl_->library.reset(OSSL_LIB_CTX_new());
  RELAY_CHECK(impl_->library != nullptr);
  impl_->provider.reset(OSSL_PROVIDER_load(impl_->library.get(), "default"));
  RELAY_CHECK(impl_->provider != nullptr);
  impl_->md5.reset(EVP_MD_fetch(impl_->library.get(), "MD5", nullptr));
  impl_->context.reset(EVP_MD_CTX_new());
  RELAY_CHECK(impl_->md5 != nullptr && impl_->context != nullptr);
}

TencentSignature::~TencentSignature() = default;

std::string TencentSignature::Sign(std::string_view key, std::string_view t_digits) {
  const Digest digest = impl_->Compute(key, t_digits);
  return HexText(digest.data(), digest.size());
}

bool TencentSignature::Verify(std::span<const std::string> keys, std::string_view t_digits,
                              std::string_view sign) {
  Digest given;
  if (!DecodeHex(sign, given)) return false;
  bool authentic = false;
  for (const std::string& key : keys) {
    const Digest expected = impl_->Compute(key, t_digits);
    authentic |= CRYPTO_memcmp(expected.data(), given.data(), kDigestSize) == 0;
  }
  return authentic;
}

std::string BlankSignature(const JsonObject& callback) {
  const std::string_view body = callback.bytes();
  std::string out;
  out.reserve(body.size());
  size_t copied = 0;
  for (const JsonMember& member : callback.members()) {
    if (member.key != "t" && member.key != "sign") continue;
    const size_t begin = member.raw.data() - body.data();
    out.append(body, copied, begin - copied).append(member.key == "t" ? "0" : "\"\"");
    copied = begin + member.raw.size();
  }
  return out.append(body, copied);
}

std::string BlankSignature(std::string_view body) {
  JsonObject callback;
  return callback.Parse(body).ok() ? BlankSignature(callback) : std::string(body);
}

}  // namespace relay

// The functions of OpenSSL 1.1, as in sha256.cc. They ask no provider, so that a system-wide FIPS
// setting does not take MD5 away.
#define OPENSSL_API_COMPAT 10100

#include "relay/tencent_signature.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>

#include <array>
#include <cstdint>

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

Digest Compute(std::string_view key, std::string_view t_digits) {
  MD5_CTX context;
  Digest digest;
  RELAY_CHECK(MD5_Init(&context) == 1 && MD5_Update(&context, key.data(), key.size()) == 1 &&
              MD5_Update(&context, t_digits.data(), t_digits.size()) == 1 &&
              MD5_Final(digest.data(), &context) == 1);
  return digest;
}

}  // namespace

std::string TencentSignature::Sign(std::string_view key, std::string_view t_digits) const {
  const Digest digest = Compute(key, t_digits);
  return HexText(digest.data(), digest.size());
}

bool TencentSignature::Verify(std::span<const std::string> keys, std::string_view t_digits,
                              std::string_view sign) const {
  Digest given;
  if (!DecodeHex(sign, given)) return false;
  bool authentic = false;
  for (const std::string& key : keys) {
    const Digest expected = Compute(key, t_digits);
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

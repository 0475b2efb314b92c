// The functions of OpenSSL 1.1, as in sha256.cc. They ask no provider, so that a system-wide FIPS
// setting does not take MD5 away.
#define OPENSSL_API_COMPAT 10100

#include "relay/md5.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>

#include "relay/ascii.h"
#include "relay/check.h"
#include "relay/sha256.h"

namespace relay {
namespace {}  // namespace

Md5Digest Md5(std::initializer_list<std::string_view> pieces) {
  MD5_CTX context;
  Md5Digest digest;
  RELAY_CHECK(MD5_Init(&context) == 1);
  for (const std::string_view piece : pieces) {
    RELAY_CHECK(MD5_Update(&context, piece.data(), piece.size()) == 1);
  }
  RELAY_CHECK(MD5_Final(digest.data(), &context) == 1);
  return digest;
}

std::string Md5Hex(std::initializer_list<std::string_view> pieces) {
  const Md5Digest digest = Md5(pieces);
  return HexText(digest.data(), digest.size());
}

bool ParseMd5Hex(std::string_view text, Md5Digest& out) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

bool SameMd5(const Md5Digest& a, const Md5Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace relay

// The functions of OpenSSL 1.1, which OpenSSL 3 keeps and calls deprecated. Those in their place
// (EVP) allocate and free a context for each hash, and nothing can be done about it from outside.
#define OPENSSL_API_COMPAT 10100

#include "relay/sha256.h"

#include "relay/check.h"

namespace relay {

Sha256::Sha256() {
  RELAY_CHECK(SHA256_Init(&context_) == 1);
}

void Sha256::Update(std::string_view bytes) {
  RELAY_CHECK(SHA256_Update(&context_, bytes.data(), bytes.size()) == 1);
}

void Sha256::UpdateWithLength(std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  const char head[4] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                        static_cast<char>(size >> 8), static_cast<char>(size)};
  Update({head, sizeof(head)});
  Update(bytes);
}

Sha256::Digest Sha256::Finish() {
  Digest digest;
  RELAY_CHECK(SHA256_Final(digest.data(), &context_) == 1);
  RELAY_CHECK(SHA256_Init(&context_) == 1);
  return digest;
}

void AppendHex(const uint8_t* bytes, size_t size, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const size_t begin = out.size();
  out.resize(begin + 2 * size);
  char* to = out.data() + begin;
  for (size_t i = 0; i < size; ++i) {
    *to++ = kDigits[bytes[i] >> 4];
    *to++ = kDigits[bytes[i] & 15];
  }
}

std::string HexText(const uint8_t* bytes, size_t size) {
  std::string text;
  AppendHex(bytes, size, text);
  return text;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  const Sha256::Digest digest = hash.Finish();
  return HexText(digest.data(), digest.size());
}

}  // namespace relay

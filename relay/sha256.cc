#include "relay/sha256.h"

#include <openssl/evp.h>

#include "relay/check.h"

namespace relay {
namespace {

// Constant once fetched, and never given back: hashing may go on until the process ends.
const EVP_MD* Algorithm() {
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  RELAY_CHECK(kSha256 != nullptr);
  return kSha256;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  RELAY_CHECK(context_ != nullptr);
  RELAY_CHECK(EVP_DigestInit_ex2(context_, Algorithm(), nullptr) == 1);
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
}

void Sha256::Update(std::string_view bytes) {
  RELAY_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
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
  RELAY_CHECK(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
  // Null: the algorithm stays.
  RELAY_CHECK(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1);
  return digest;
}

std::string HexText(const uint8_t* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(2 * size, '0');
  for (size_t i = 0; i < size; ++i) {
    text[2 * i] = kDigits[bytes[i] >> 4];
    text[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return text;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  const Sha256::Digest digest = hash.Finish();
  return HexText(digest.data(), digest.size());
}

}  // namespace relay

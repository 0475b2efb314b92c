#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

// SHA-256 over pieces. One object serves any number of hashes, one after another, and allocates
// nothing, so that a local one is as good as a kept one.
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  Sha256();

  void Update(std::string_view bytes);
  // Adds the length of `bytes` (4 bytes, the highest first) before them, so that no two lists of
  // pieces run together to the same text.
  void UpdateWithLength(std::string_view bytes);
  // The digest of what was added since construction or the last Finish().
  Digest Finish();

 private:
  SHA256_CTX context_;
};

// Lower-case hexadecimal.
void AppendHex(const uint8_t* bytes, size_t size, std::string& out);
std::string HexText(const uint8_t* bytes, size_t size);
std::string Sha256Hex(std::string_view bytes);

}  // namespace relay

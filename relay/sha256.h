#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace relay {

// SHA-256 over pieces. One object serves any number of hashes, one after another; its algorithm is
// looked up once a process, which in OpenSSL 3 costs more than hashing half a kilobyte.
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // Adds the length of `bytes` (4 bytes, the highest first) before them, so that no two lists of
  // pieces run together to the same text.
  void UpdateWithLength(std::string_view bytes);
  // The digest of what was added since construction or the last Finish().
  Digest Finish();

 private:
  evp_md_ctx_st* context_;
};

// Lower-case hexadecimal.
std::string HexText(const uint8_t* bytes, size_t size);
std::string Sha256Hex(std::string_view bytes);

}  // namespace relay

#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace relay {

enum class HmacAlgorithm { kSha1, kSha256, kSha512 };

// HMAC (RFC 2104) under one key, over pieces. Both pads are hashed once, at construction; a
// signature then costs its own bytes and allocates nothing. One object serves any number of
// signatures, one after another. The key is wiped at destruction.
class Hmac {
 public:
  static constexpr size_t kDigestBytesMax = 64;

  Hmac(HmacAlgorithm algorithm, std::string_view key);
  Hmac(Hmac&&) noexcept = default;
  Hmac& operator=(Hmac&&) noexcept = default;
  ~Hmac();

  void Update(std::string_view bytes);
  // The digest of what was added since construction or the last Finish(): 20, 32 or 64 bytes, which
  // stand until the next call.
  std::span<const uint8_t> Finish();

 private:
  template <typename Context>
  struct State {
    Context inner;    // After the key's inner pad.
    Context outer;    // After its outer pad.
    Context running;  // What Update() adds to.
  };

  std::variant<State<SHA_CTX>, State<SHA256_CTX>, State<SHA512_CTX>> state_;
  std::array<uint8_t, kDigestBytesMax> digest_{};
};

}  // namespace relay

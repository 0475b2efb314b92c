#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "relay/status.h"

struct evp_cipher_st;
struct evp_cipher_ctx_st;

namespace relay {

// Seals the secrets of the catalog before they go to Redis: AES-256-GCM under the key of one file.
//
// A sealed secret reads "enc:1:<key id>:<base64 of nonce, ciphertext, tag>". It is bound to its
// place ("tenant/acme/customer-a/secret"), so that nobody who can write Redis can move one
// endpoint's secret to another. The key id is the first 8 hex digits of the key's SHA-256: it says
// which key is needed and gives nothing away.
//
// Movable. Loop thread only: the cipher's context is used again for each call.
class SecretBox {
 public:
  static constexpr size_t kKeyBytes = 32;
  using Key = std::array<unsigned char, kKeyBytes>;

  // Reads 32 raw bytes or 64 hexadecimal digits. NotFound when there is no such file (the text has
  // the command that makes one); InvalidArgument when it has another size, or when others than its
  // owner may read or write it.
  static Result<SecretBox> FromKeyFile(const std::string& path);
  static SecretBox FromKey(const Key& key);
  // Makes a key file of 32 random bytes, mode 0600. Conflict when the file is there already.
  static Status GenerateKeyFile(const std::string& path);

  SecretBox(SecretBox&&) noexcept;
  SecretBox& operator=(SecretBox&&) noexcept;
  ~SecretBox();

  const std::string& key_id() const { return key_id_; }

  std::string Seal(std::string_view secret, std::string_view place) const;
  // InvalidArgument when `sealed` was sealed with another key (the text names both ids), for
  // another place, or was changed. No part of a secret is ever in a text.
  Result<std::string> Open(std::string_view sealed, std::string_view place) const;

 private:
  explicit SecretBox(const Key& key);

  struct FreeCipher {
    void operator()(evp_cipher_st* cipher) const;
  };
  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const;
  };

  Key key_;  // Wiped on destruction.
  std::string key_id_;
  std::unique_ptr<evp_cipher_st, FreeCipher> cipher_;
  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
};

}  // namespace relay

#include <openssl/evp.h>

#include "relay/check.h"
#include "relay/redis_client.h"

namespace relay {

RedisScript RedisScript::Make(std::string name, std::string text) {
  // Redis names a script by the SHA-1 of its text; this is no use of SHA-1 as a safeguard.
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  RELAY_CHECK(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) == 1);
  static constexpr char kDigits[] = "0123456789abcdef";
  RedisScript out{std::move(name), std::move(text), ""};
  for (unsigned int i = 0; i < size; ++i) {
    out.sha1.push_back(kDigits[digest[i] >> 4]);
    out.sha1.push_back(kDigits[digest[i] & 15]);
  }
  return out;
}

}  // namespace relay

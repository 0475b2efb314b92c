// The functions of OpenSSL 1.1, as in sha256.cc: a keyed state is a plain value that can be copied,
// where EVP_MAC would allocate for each.
#define OPENSSL_API_COMPAT 10100

#include "relay/hmac.h"

#include <openssl/crypto.h>

#include <cstring>

#include "relay/check.h"

namespace relay {
namespace {

void Init(SHA_CTX& context) {
  RELAY_CHECK(SHA1_Init(&context) == 1);
}
void Init(SHA256_CTX& context) {
  RELAY_CHECK(SHA256_Init(&context) == 1);
}
void Init(SHA512_CTX& context) {
  RELAY_CHECK(SHA512_Init(&context) == 1);
}

void Add(SHA_CTX& context, const void* bytes, size_t size) {
  RELAY_CHECK(SHA1_Update(&context, bytes, size) == 1);
}
void Add(SHA256_CTX& context, const void* bytes, size_t size) {
  RELAY_CHECK(SHA256_Update(&context, bytes, size) == 1);
}
void Add(SHA512_CTX& context, const void* bytes, size_t size) {
  RELAY_CHECK(SHA512_Update(&context, bytes, size) == 1);
}

// Each returns the size of its digest.
size_t End(SHA_CTX& context, uint8_t* digest) {
  RELAY_CHECK(SHA1_Final(digest, &context) == 1);
  return SHA_DIGEST_LENGTH;
}
size_t End(SHA256_CTX& context, uint8_t* digest) {
  RELAY_CHECK(SHA256_Final(digest, &context) == 1);
  return SHA256_DIGEST_LENGTH;
}
size_t End(SHA512_CTX& context, uint8_t* digest) {
  RELAY_CHECK(SHA512_Final(digest, &context) == 1);
  return SHA512_DIGEST_LENGTH;
}

constexpr size_t BlockBytes(const SHA_CTX&) {
  return SHA_CBLOCK;
}
constexpr size_t BlockBytes(const SHA256_CTX&) {
  return SHA256_CBLOCK;
}
constexpr size_t BlockBytes(const SHA512_CTX&) {
  return SHA512_CBLOCK;
}

template <typename State>
void SetKey(std::string_view key, State& state) {
  std::array<uint8_t, SHA512_CBLOCK> pad{};
  const size_t block = BlockBytes(state.inner);
  if (key.size() > block) {
    Init(state.inner);
    Add(state.inner, key.data(), key.size());
    End(state.inner, pad.data());
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  Init(state.inner);
  Init(state.outer);
  for (uint8_t& byte : pad) byte ^= 0x36;
  Add(state.inner, pad.data(), block);
  for (uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  Add(state.outer, pad.data(), block);
  OPENSSL_cleanse(pad.data(), pad.size());
  state.running = state.inner;
}

}  // namespace

Hmac::Hmac(HmacAlgorithm algorithm, std::string_view key) {
  switch (algorithm) {
    case HmacAlgorithm::kSha1:
      state_.emplace<State<SHA_CTX>>();
      break;
    case HmacAlgorithm::kSha256:
      state_.emplace<State<SHA256_CTX>>();
      break;
    case HmacAlgorithm::kSha512:
      state_.emplace<State<SHA512_CTX>>();
      break;
  }
  std::visit([key](auto& state) { SetKey(key, state); }, state_);
}

Hmac::~Hmac() {
  std::visit([](auto& state) { OPENSSL_cleanse(&state, sizeof(state)); }, state_);
}

void Hmac::Update(std::string_view bytes) {
  std::visit([bytes](auto& state) { Add(state.running, bytes.data(), bytes.size()); }, state_);
}

std::span<const uint8_t> Hmac::Finish() {
  const size_t size = std::visit(
      [this](auto& state) {
        const size_t inner = End(state.running, digest_.data());
        state.running = state.outer;
        Add(state.running, digest_.data(), inner);
        End(state.running, digest_.data());
        state.running = state.inner;
        return inner;
      },
      state_);
  return {digest_.data(), size};
}

}  // namespace relay

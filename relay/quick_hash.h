#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace relay {

inline uint64_t MixHash(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

// A hash for tables in memory: fast for short texts, and no defence against texts that are chosen
// to collide. So what it finds is compared, and where it chooses, a wrong choice only costs time.
// The value may change with any version: it is never stored.
inline uint64_t QuickHash(std::string_view bytes, uint64_t seed) {
  uint64_t hash = MixHash(seed, bytes.size());
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t word = 0;
  for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
    std::memcpy(&word, at, sizeof(word));
    hash = MixHash(hash, word);
  }
  word = 0;
  for (size_t i = 0; i < left; ++i) word = word << 8 | static_cast<uint8_t>(at[i]);
  return MixHash(hash, word);
}

}  // namespace relay

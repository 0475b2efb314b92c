#include "relay/utf8.h"

#include <cstdint>
#include <cstring>

namespace relay {
namespace {

bool IsContinuation(uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

// The length of the sequence that `at` begins with, or 0 when it is ill-formed. `left` > 0.
size_t SequenceSize(const uint8_t* at, size_t left) {
  const uint8_t lead = at[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;  // A continuation, or an overlong form of ASCII.
  if (lead < 0xE0) return left >= 2 && IsContinuation(at[1]) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !IsContinuation(at[1]) || !IsContinuation(at[2])) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;   // Overlong.
    if (lead == 0xED && at[1] >= 0xA0) return 0;  // A surrogate.
    return 3;
  }
  if (lead > 0xF4 || left < 4) return 0;
  if (!IsContinuation(at[1]) || !IsContinuation(at[2]) || !IsContinuation(at[3])) return 0;
  if (lead == 0xF0 && at[1] < 0x90) return 0;   // Overlong.
  if (lead == 0xF4 && at[1] >= 0x90) return 0;  // Beyond U+10FFFF.
  return 4;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = at + bytes.size();
  while (at != end) {
    uint64_t word;
    while (end - at >= 8) {
      std::memcpy(&word, at, sizeof(word));
      if ((word & 0x8080808080808080u) != 0) break;
      at += 8;
    }
    if (at == end) break;
    const size_t size = SequenceSize(at, end - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace relay

#include "tests/chaos/net/gzip_bomb.h"

#include <cstdint>

namespace relay {

namespace {

// Bits in the order of deflate: the lowest of a byte first.
class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}

  // The bits of a code as the format's tables print it, from left to right.
  void Write(const char* bits) {
    for (; *bits; ++bits) {
      if (*bits == '1') byte_ = static_cast<uint8_t>(byte_ | 1u << filled_);
      if (++filled_ == 8) Flush();
    }
  }
  void Flush() {
    out_ += static_cast<char>(byte_);
    byte_ = 0;
    filled_ = 0;
  }

 private:
  std::string& out_;
  uint8_t byte_ = 0;
  int filled_ = 0;
};

}  // namespace

std::string GzipBomb(size_t unpacked) {
  constexpr size_t kMatchBytes = 258;
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  BitWriter bits(out);
  bits.Write("110");       // The last block, with the fixed codes.
  bits.Write("00110000");  // The byte 0.
  // "258 bytes, the same as those that begin one byte back".
  for (size_t made = 1; made < unpacked; made += kMatchBytes) bits.Write("1100010100000");
  bits.Write("0000000");  // End of block.
  bits.Flush();
  return out + std::string(8, '\0');
}

}  // namespace relay

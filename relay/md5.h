#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace relay {

// MD5, which providers of live streaming still sign and name streams with. Nothing of our own rests
// on it. Allocates nothing but the text, and works under a system-wide FIPS setting too.

using Md5Digest = std::array<uint8_t, 16>;

// Over the pieces, one after another.
Md5Digest Md5(std::initializer_list<std::string_view> pieces);
// 32 lower-case hexadecimal digits.
std::string Md5Hex(std::initializer_list<std::string_view> pieces);

// Reads 32 hexadecimal digits of either case; false for any other text.
bool ParseMd5Hex(std::string_view text, Md5Digest& out);
// In the same time whatever differs.
bool SameMd5(const Md5Digest& a, const Md5Digest& b);

}  // namespace relay

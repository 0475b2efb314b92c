#include "relay/base64.h"

#include <openssl/evp.h>

#include "relay/ascii.h"

namespace relay {

void AppendBase64(std::string_view bytes, std::string& out) {
  // EVP_EncodeBlock counts in int and writes a NUL behind each text; a piece of whole triples has
  // no padding, so the pieces run together to one text.
  constexpr size_t kPieceBytes = 3 * 1024 * 1024;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    const size_t begin = out.size();
    out.resize(begin + (piece.size() + 2) / 3 * 4 + 1);
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                                     reinterpret_cast<const unsigned char*>(piece.data()),
                                     static_cast<int>(piece.size()));
    out.resize(begin + static_cast<size_t>(size));
    bytes.remove_prefix(piece.size());
  }
}

// EVP_DecodeBlock alone would take blanks around it and lose the padding's count.
bool DecodeBase64(std::string_view text, std::string& bytes) {
  if (text.empty() || text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  for (char c : text.substr(0, text.size() - padding)) {
    const bool known = IsLetterOrDigit(c) || c == '+' || c == '/';
    if (!known) return false;
  }
  bytes.resize(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return false;
  bytes.resize(static_cast<size_t>(size) - padding);
  return true;
}

}  // namespace relay

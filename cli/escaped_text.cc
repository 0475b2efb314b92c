#include "cli/escaped_text.h"

#include <cstdint>

#include "relay/utf8.h"

namespace relay {
namespace {

// As its first byte says; whether the rest is there and well-formed is for IsUtf8() to say.
size_t SizeByLead(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

// Requires: one well-formed character.
uint32_t CodePointOf(std::string_view character) {
  const auto lead = static_cast<uint8_t>(character.front());
  if (character.size() == 1) return lead;
  uint32_t code = lead & (0xFFu >> (character.size() + 1));
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<uint8_t>(c) & 0x3Fu);
  return code;
}

bool IsPrintable(uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
  // Without width, or changing how what follows is laid out.
  const bool hidden = code == 0xAD || (code >= 0x200B && code <= 0x200F) ||
                      (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
                      code == 0xFEFF || (code >= 0xE0000 && code <= 0xE0FFF);
  return !hidden;
}

void AppendEscaped(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\x";
        out += kDigits[static_cast<uint8_t>(c) >> 4];
        out += kDigits[static_cast<uint8_t>(c) & 0xF];
    }
  }
}

}  // namespace

std::string EscapedText(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    std::string_view next = bytes.substr(0, SizeByLead(static_cast<uint8_t>(bytes.front())));
    if (!IsUtf8(next)) next = next.substr(0, 1);
    if (next == "\\") {
      out += "\\\\";
    } else if (IsUtf8(next) && IsPrintable(CodePointOf(next))) {
      out += next;
    } else {
      AppendEscaped(next, out);
    }
    bytes.remove_prefix(next.size());
  }
  return out;
}

}  // namespace relay

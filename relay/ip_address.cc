#include "relay/ip_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "relay/check.h"

namespace relay {
namespace {

// One to three digits without a leading zero, at most 255. inet_pton of glibc is as strict, but
// what this rule says is what the guard stands on, so it is spelled out.
bool TakeOctet(std::string_view& text, uint8_t& octet) {
  size_t digits = 0;
  unsigned value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (++digits > 3) return false;
    value = value * 10 + static_cast<unsigned>(text[digits - 1] - '0');
  }
  if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
  octet = static_cast<uint8_t>(value);
  text.remove_prefix(digits);
  return true;
}

std::optional<IpAddress> ParseV4(std::string_view text) {
  IpAddress address;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    if (!TakeOctet(text, address.bytes[i])) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return address;
}

std::optional<IpAddress> ParseV6(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  // An embedded NUL would end the text early for inet_pton.
  if (std::strlen(buffer) != text.size()) return std::nullopt;
  IpAddress address;
  address.v6 = true;
  if (inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) return std::nullopt;
  return address;
}

}  // namespace

IpAddress IpAddress::V4(uint32_t value) {
  IpAddress address;
  for (int i = 0; i < 4; ++i) address.bytes[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  return address;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  return text.find(':') == std::string_view::npos ? ParseV4(text) : ParseV6(text);
}

uint32_t IpAddress::v4_value() const {
  RELAY_CHECK(!v6);
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return value;
}

std::string IpAddress::ToString() const {
  char buffer[INET6_ADDRSTRLEN];
  RELAY_CHECK(inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer));
  return buffer;
}

Result<IpBlock> IpBlock::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return Status::InvalidArgument("is not a block such as \"10.0.0.0/8\"");
  }
  const auto base = IpAddress::Parse(text.substr(0, slash));
  if (!base) return Status::InvalidArgument("does not begin with an IPv4 or IPv6 address");
  const std::string_view digits = text.substr(slash + 1);
  const int bits_max = base->v6 ? 128 : 32;
  int bits = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > bits_max) {
    return Status::InvalidArgument("has no prefix length from 0 to " + std::to_string(bits_max));
  }
  for (int bit = bits; bit < bits_max; ++bit) {
    if (base->bytes[bit / 8] & (0x80 >> bit % 8)) {
      return Status::InvalidArgument("has address bits behind its prefix length");
    }
  }
  return IpBlock{*base, bits};
}

bool IpBlock::Contains(const IpAddress& address) const {
  if (address.v6 != base.v6) return false;
  const int whole = prefix_bits / 8;
  if (std::memcmp(address.bytes.data(), base.bytes.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (base.bytes[whole] & mask);
}

bool AnyContains(std::span<const IpBlock> blocks, const IpAddress& address) {
  for (const IpBlock& block : blocks) {
    if (block.Contains(address)) return true;
  }
  return false;
}

}  // namespace relay

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "relay/status.h"

namespace relay {

// One IPv4 or IPv6 address, as bytes in network order. A value type, without port and zone.
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // IPv4 uses the first four; the rest is zero.

  static IpAddress V4(uint32_t value);
  // Dotted-quad decimal without leading zeros, or IPv6 without brackets and zone. Nothing else: the
  // odd spellings that inet_aton takes ("127.1", "0x7f.1", "2130706433") are how filters are
  // tricked.
  static std::optional<IpAddress> Parse(std::string_view text);

  // Requires: !v6.
  uint32_t v4_value() const;
  std::string ToString() const;

  bool operator==(const IpAddress&) const = default;
};

// A block of addresses in CIDR notation, e.g. "127.0.0.0/8" or "fd00::/8".
struct IpBlock {
  IpAddress base;
  int prefix_bits = 0;

  // InvalidArgument says what is wrong; bits set behind the prefix are wrong too, because the
  // writer meant something else.
  static Result<IpBlock> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;

  bool operator==(const IpBlock&) const = default;
};

bool AnyContains(std::span<const IpBlock> blocks, const IpAddress& address);

}  // namespace relay

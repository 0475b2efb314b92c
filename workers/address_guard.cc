#include "workers/address_guard.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "relay/c_handle.h"

namespace relay {
namespace {

struct V4Block {
  uint32_t base;
  int prefix_bits;
};

constexpr uint32_t Quad(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// What is not plain public unicast, in ascending order.
constexpr V4Block kDeniedV4[] = {
    {Quad(0, 0, 0, 0), 8},         // "this network"
    {Quad(10, 0, 0, 0), 8},        // private
    {Quad(100, 64, 0, 0), 10},     // shared by carriers; 100.100.100.200 is Alibaba's metadata
    {Quad(127, 0, 0, 0), 8},       // loopback
    {Quad(168, 63, 129, 16), 32},  // Azure's metadata and wire server, in a public block
    {Quad(169, 254, 0, 0), 16},    // link-local; 169.254.169.254 is most clouds' metadata
    {Quad(172, 16, 0, 0), 12},     // private
    {Quad(192, 0, 0, 0), 24},      // protocol assignments
    {Quad(192, 0, 2, 0), 24},      // documentation
    {Quad(192, 31, 196, 0), 24},   // AS112
    {Quad(192, 52, 193, 0), 24},   // AMT
    {Quad(192, 88, 99, 0), 24},    // 6to4 relays
    {Quad(192, 168, 0, 0), 16},    // private
    {Quad(192, 175, 48, 0), 24},   // AS112
    {Quad(198, 18, 0, 0), 15},     // benchmarks
    {Quad(198, 51, 100, 0), 24},   // documentation
    {Quad(203, 0, 113, 0), 24},    // documentation
    {Quad(224, 0, 0, 0), 4},       // multicast
    {Quad(240, 0, 0, 0), 4},       // reserved, and broadcast
};

bool IsPublicV4(uint32_t address) {
  for (const V4Block& block : kDeniedV4) {
    if ((address ^ block.base) >> (32 - block.prefix_bits) == 0) return false;
  }
  return true;
}

struct V6Block {
  uint8_t base[6];
  int prefix_bits;
};

constexpr V6Block kGlobalUnicast = {{0x20, 0, 0, 0, 0, 0}, 3};  // 2000::/3
// The special blocks inside it.
constexpr V6Block kDeniedV6[] = {
    {{0x20, 0x01, 0x00, 0, 0, 0}, 23},           // protocol assignments, Teredo among them
    {{0x20, 0x01, 0x0d, 0xb8, 0, 0}, 32},        // documentation
    {{0x20, 0x02, 0, 0, 0, 0}, 16},              // 6to4
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},  // AS112
    {{0x3f, 0xff, 0, 0, 0, 0}, 20},              // documentation
};

bool StartsWith(const std::array<uint8_t, 16>& bytes, const V6Block& block) {
  const int whole = block.prefix_bits / 8;
  if (std::memcmp(bytes.data(), block.base, whole) != 0) return false;
  const int rest = block.prefix_bits % 8;
  return rest == 0 || (bytes[whole] ^ block.base[whole]) >> (8 - rest) == 0;
}

bool IsPublicV6(const std::array<uint8_t, 16>& bytes) {
  if (!StartsWith(bytes, kGlobalUnicast)) return false;
  for (const V6Block& block : kDeniedV6) {
    if (StartsWith(bytes, block)) return false;
  }
  return true;
}

}  // namespace

bool IsPublicAddress(const IpAddress& address) {
  return address.v6 ? IsPublicV6(address.bytes) : IsPublicV4(address.v4_value());
}

std::vector<IpAddress> OwnAddresses() {
  std::vector<IpAddress> own;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return own;
  const std::unique_ptr<ifaddrs, FreeWith<freeifaddrs>> holder(list);
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr) continue;
    IpAddress address;
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      address = IpAddress::V4(ntohl(v4->sin_addr.s_addr));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      address.v6 = true;
      std::memcpy(address.bytes.data(), &v6->sin6_addr, address.bytes.size());
    } else {
      continue;
    }
    own.push_back(address);
  }
  return own;
}

Result<AddressGuard> AddressGuard::Create(const Settings::Guard& terms,
                                          std::vector<IpAddress> own_addresses) {
  AddressGuard guard;
  for (const std::string& text : terms.allow_private) {
    Result<IpBlock> block = IpBlock::Parse(text);
    if (!block.ok()) {
      return Status::InvalidArgument("[guard] allow_private: \"" + text + "\" " +
                                     block.status().text());
    }
    guard.opened_.push_back(*block);
  }
  guard.own_ = std::move(own_addresses);
  guard.ports_ = terms.ports;
  guard.https_only_ = terms.https_only;
  return guard;
}

bool AddressGuard::Allows(const IpAddress& address) const {
  if (AnyContains(opened_, address)) return true;
  return IsPublicAddress(address) && std::find(own_.begin(), own_.end(), address) == own_.end();
}

std::string_view AddressGuard::WhyUrlIsRefused(const Url& url) const {
  if (https_only_ && !url.https) return "only https is allowed here ([guard] https_only)";
  if (!ports_.empty() && std::find(ports_.begin(), ports_.end(), url.port) == ports_.end()) {
    return "the port is not one of [guard] ports";
  }
  return {};
}

}  // namespace relay

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "relay/ip_address.h"
#include "relay/settings.h"
#include "relay/status.h"
#include "relay/url.h"

namespace relay {

// Whether an address is a plain public unicast address, by the IANA special-purpose registries:
// IPv4 without the private, shared, loopback, link-local, documentation, benchmark, relay-anycast,
// multicast and reserved blocks; IPv6 only from 2000::/3 without its special blocks, so that every
// form that embeds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) is out, not unwrapped.
// The metadata services of clouds are out even where their address lies in a public block.
bool IsPublicAddress(const IpAddress& address);

// The addresses of this host's interfaces: what a delivery must not come back to.
std::vector<IpAddress> OwnAddresses();

// Decides where a delivery may connect to: the wall between what customers write into a URL (or
// into their DNS) and what only this host can reach. Immutable; no I/O.
class AddressGuard {
 public:
  // InvalidArgument when a block of `terms.allow_private` cannot be read.
  static Result<AddressGuard> Create(const Settings::Guard& terms,
                                     std::vector<IpAddress> own_addresses);

  // True for a public address that is not our own, and for whatever `allow_private` opens.
  bool Allows(const IpAddress& address) const;
  // Empty when scheme and port are allowed; otherwise a sentence that says which is not.
  std::string_view WhyUrlIsRefused(const Url& url) const;

 private:
  AddressGuard() = default;

  std::vector<IpBlock> opened_;
  std::vector<IpAddress> own_;
  std::vector<int> ports_;
  bool https_only_ = false;
};

}  // namespace relay

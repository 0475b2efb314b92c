#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "relay/catalog_snapshot.h"
#include "relay/ip_address.h"
#include "relay/webhook_signature.h"
#include "workers/address_guard.h"
#include "workers/http_client.h"

namespace relay {

// What an endpoint's catalog entry implies for each of its requests, made once.
struct PreparedEndpoint {
  // Why no request may ever be made to it as it stands; empty when one may.
  std::string why_refused;
  std::shared_ptr<const HttpRoute> route;  // Null when refused.
  std::optional<IpAddress> address;  // Vetted; set when the URL names an address, not a host name.
  std::optional<WebhookSigner> signer;
  bool sets_content_type = false;  // By its own headers, so that the event's is not sent.
  bool sets_traceparent = false;
};

PreparedEndpoint Prepare(const Tenant& tenant, const Endpoint& endpoint, const AddressGuard& guard);

// The prepared endpoints that are in use. One stays the same, and with it its connections, while
// its catalog entry does, across any number of snapshots.
class PreparedEndpoints {
 public:
  static constexpr size_t kEntriesMax = 10000;

  explicit PreparedEndpoints(const AddressGuard& guard) : guard_(guard) {}

  // Shared with the attempts that use it, because a new snapshot may replace it meanwhile.
  // Requires: `tenant` and `endpoint` belong to `catalog`.
  std::shared_ptr<const PreparedEndpoint> Get(const CatalogPtr& catalog, const Tenant& tenant,
                                              const Endpoint& endpoint);

 private:
  struct Entry {
    std::shared_ptr<const PreparedEndpoint> prepared;
    Endpoint made_from;
    // Where the same entry was last seen. Weak, so that an endpoint that has gone quiet keeps no
    // old snapshot alive; it also tells a new snapshot at an old one's address apart.
    std::weak_ptr<const CatalogSnapshot> catalog;
    const Endpoint* seen_at = nullptr;
  };

  const AddressGuard& guard_;
  std::unordered_map<uint64_t, Entry> by_number_;
};

}  // namespace relay

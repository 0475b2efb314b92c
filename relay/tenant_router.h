#pragma once

#include <string>
#include <string_view>

#include "relay/catalog_snapshot.h"

namespace relay {

// What a callback says of itself that may name its tenant; empty where it says nothing.
struct RouteAttributes {
  std::string push_domain;
  std::string appid;
  std::string stream_id;
  std::string stream_param;  // The query of the push URL, e.g. "tenant=acme&txTime=5C271099".

  void Clear();
  bool operator==(const RouteAttributes&) const = default;
};

// Finds the tenant of an event, at a cost that does not grow with the number of tenants: one
// look-up in the snapshot, or, for stream prefixes, one for each length of prefix that occurs.
// Routing allocates nothing. It holds its snapshot; a new snapshot takes a new router. Immutable.
class TenantRouter {
 public:
  explicit TenantRouter(CatalogPtr catalog);

  // Null when the attributes name no tenant of the snapshot. Domains match in any case; of several
  // prefixes the longest wins; a parameter's value is the tenant's id as it stands in the URL.
  const Tenant* Route(const Source& source, const RouteAttributes& attributes) const;

  const CatalogPtr& catalog() const { return catalog_; }

 private:
  const Tenant* ByDomain(std::string_view domain) const;

  const CatalogPtr catalog_;
};

// The value of `name` in a URL's query, not decoded; empty when it is absent. The first one counts.
std::string_view QueryValue(std::string_view query, std::string_view name);

}  // namespace relay

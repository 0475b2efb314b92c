#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/catalog.h"

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
// look-up in a hash, or, for stream prefixes, one for each length of prefix that occurs. Routing
// allocates nothing.
//
// Built from one snapshot, which it holds; a new snapshot takes a new router. Immutable.
class TenantRouter {
 public:
  explicit TenantRouter(CatalogPtr catalog);

  // Null when the attributes name no tenant of the snapshot. Domains match in any case; of several
  // prefixes the longest wins; a parameter's value is the tenant's id as it stands in the URL.
  const Tenant* Route(const Source& source, const RouteAttributes& attributes) const;

  const CatalogPtr& catalog() const { return catalog_; }

 private:
  // Keys are views of the snapshot's strings, domains excepted.
  using Index = std::unordered_map<std::string_view, const Tenant*>;
  // Of strings and views alike, so that a look-up needs no string.
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  const Tenant* ByDomain(std::string_view domain) const;
  const Tenant* ByPrefix(std::string_view stream_id) const;

  const CatalogPtr catalog_;
  std::unordered_map<std::string, const Tenant*, TextHash, std::equal_to<>>
      domains_;  // Lower case.
  Index appids_;
  Index prefixes_;
  std::vector<size_t> prefix_sizes_;  // Those that occur, the longest first.
};

// The value of `name` in a URL's query, not decoded; empty when it is absent. The first one counts.
std::string_view QueryValue(std::string_view query, std::string_view name);

}  // namespace relay

#include "cli/endpoint_name.h"

#include <algorithm>
#include <string_view>

namespace relay {

std::string EndpointName(const CatalogSnapshot& catalog, const std::string& tenant,
                         uint64_t endpoint) {
  const Tenant* owner = nullptr;
  const Endpoint* known = catalog.FindEndpoint(endpoint, &owner);
  if (known != nullptr) return owner->id + "/" + known->id;
  return tenant + "/#" + std::to_string(endpoint);
}

Result<uint64_t> EndpointOfName(const CatalogSnapshot& catalog, const std::string& name,
                                const Tenant** owner) {
  const size_t slash = std::min(name.find('/'), name.size());
  if (const Tenant* tenant = catalog.FindTenant(std::string_view(name).substr(0, slash))) {
    for (const Endpoint& endpoint : tenant->endpoints) {
      if (tenant->id + "/" + endpoint.id != name) continue;
      if (owner != nullptr) *owner = tenant;
      return endpoint.number;
    }
  }
  return Status::NotFound("there is no endpoint " + name +
                          "; `relayctl endpoint list` shows them as TENANT/ENDPOINT");
}

bool MeansEndpoint(const std::string& option, const Tenant& tenant, const Endpoint& endpoint) {
  return endpoint.id == option || tenant.id + "/" + endpoint.id == option;
}

}  // namespace relay

#include "cli/endpoint_name.h"

namespace relay {

std::string EndpointName(const CatalogSnapshot& catalog, const std::string& tenant,
                         uint64_t endpoint) {
  const Tenant* owner = nullptr;
  const Endpoint* known = catalog.FindEndpoint(endpoint, &owner);
  if (known != nullptr) return owner->id + "/" + known->id;
  return tenant + "/#" + std::to_string(endpoint);
}

bool MeansEndpoint(const std::string& option, const Tenant& tenant, const Endpoint& endpoint) {
  return endpoint.id == option || tenant.id + "/" + endpoint.id == option;
}

}  // namespace relay

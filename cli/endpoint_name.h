#pragma once

#include <cstdint>
#include <string>

#include "relay/catalog_snapshot.h"

namespace relay {

// How commands name an endpoint: "tenant/endpoint", or "tenant/#7" for one of `tenant` that the
// catalog has no more.
std::string EndpointName(const CatalogSnapshot& catalog, const std::string& tenant,
                         uint64_t endpoint);

// The number of "tenant/endpoint"; NotFound says what there is to do. `owner` receives its tenant
// unless null.
Result<uint64_t> EndpointOfName(const CatalogSnapshot& catalog, const std::string& name,
                                const Tenant** owner = nullptr);

// Whether an option means this endpoint: by its id, or as "tenant/id".
bool MeansEndpoint(const std::string& option, const Tenant& tenant, const Endpoint& endpoint);

}  // namespace relay

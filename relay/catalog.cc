#include "relay/catalog.h"

namespace relay {

namespace {

bool SameEndpoint(const Endpoint& a, const Endpoint& b) {
  Endpoint renumbered = a;
  renumbered.number = b.number;
  return renumbered == b;
}

bool SameTenant(const Tenant& a, const Tenant& b) {
  if (a.id != b.id || a.push_domains != b.push_domains || a.appids != b.appids ||
      a.stream_prefixes != b.stream_prefixes || a.limits != b.limits ||
      a.endpoints.size() != b.endpoints.size()) {
    return false;
  }
  for (size_t i = 0; i < a.endpoints.size(); ++i) {
    if (!SameEndpoint(a.endpoints[i], b.endpoints[i])) return false;
  }
  return true;
}

}  // namespace

Catalog::Catalog(const Catalog& other)
    : version(other.version),
      sources(other.sources),
      tenants(other.tenants),
      runtime(other.runtime) {}

const Source* Catalog::FindSource(std::string_view id) const {
  const auto found = source_by_id_.find(id);
  return found == source_by_id_.end() ? nullptr : found->second;
}

const Source* Catalog::FindSourceByPath(std::string_view path) const {
  const auto found = source_by_path_.find(path);
  return found == source_by_path_.end() ? nullptr : found->second;
}

const Tenant* Catalog::FindTenant(std::string_view id) const {
  const auto found = tenant_by_id_.find(id);
  return found == tenant_by_id_.end() ? nullptr : found->second;
}

const Endpoint* Catalog::FindEndpoint(uint64_t number, const Tenant** tenant) const {
  const auto found = endpoint_by_number_.find(number);
  if (found == endpoint_by_number_.end()) return nullptr;
  if (tenant) *tenant = found->second.first;
  return found->second.second;
}

void Catalog::BuildIndex() {
  source_by_id_.clear();
  source_by_path_.clear();
  tenant_by_id_.clear();
  endpoint_by_number_.clear();
  for (const Source& source : sources) {
    source_by_id_.emplace(source.id, &source);
    source_by_path_.emplace(source.path, &source);
  }
  tenant_by_id_.reserve(tenants.size());
  endpoint_by_number_.reserve(tenants.size());
  for (const Tenant& tenant : tenants) {
    tenant_by_id_.emplace(tenant.id, &tenant);
    for (const Endpoint& endpoint : tenant.endpoints) {
      // Number 0: the catalog store has not given it one yet.
      if (endpoint.number == 0) continue;
      endpoint_by_number_.emplace(endpoint.number, std::make_pair(&tenant, &endpoint));
    }
  }
}

bool SameContent(const Catalog& a, const Catalog& b) {
  if (a.sources != b.sources || a.tenants.size() != b.tenants.size()) return false;
  for (size_t i = 0; i < a.tenants.size(); ++i) {
    if (!SameTenant(a.tenants[i], b.tenants[i])) return false;
  }
  return true;
}

}  // namespace relay

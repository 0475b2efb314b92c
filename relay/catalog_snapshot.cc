#include "relay/catalog_snapshot.h"

#include <algorithm>

#include "relay/check.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

bool ById(const TenantPtr& a, const TenantPtr& b) {
  return a->id < b->id;
}

const Tenant* Look(const SharedIndex<std::string_view, const Tenant*>& index,
                   std::string_view key) {
  const Tenant* const* found = index.Find(key);
  return found ? *found : nullptr;
}

// The tenant of that id; null when the part has none.
TenantPtr Among(const CatalogPartPtr& part, std::string_view id) {
  if (!part) return nullptr;
  const auto at = std::lower_bound(
      part->tenants.begin(), part->tenants.end(), id,
      [](const TenantPtr& tenant, std::string_view key) { return tenant->id < key; });
  return at != part->tenants.end() && (*at)->id == id ? *at : nullptr;
}

}  // namespace

int CatalogPartOf(std::string_view tenant_id) {
  return KeySlot(tenant_id) % kCatalogParts;
}

CatalogSnapshot::CatalogSnapshot()
    : sources_(std::make_shared<const Sources>()),
      runtime_(std::make_shared<const EndpointRuntimeStates>()) {}

CatalogPtr CatalogSnapshot::Of(const Catalog& catalog, uint64_t version,
                               EndpointRuntimeStates runtime) {
  auto out = std::make_shared<CatalogSnapshot>();
  out->version_ = version;
  out->SetSources(catalog.sources);
  out->SetRuntime(std::move(runtime));
  std::array<std::vector<Tenant>, kCatalogParts> parts;
  for (const Tenant& tenant : catalog.tenants) {
    parts[static_cast<size_t>(CatalogPartOf(tenant.id))].push_back(tenant);
  }
  for (int i = 0; i < kCatalogParts; ++i) {
    std::vector<Tenant>& tenants = parts[static_cast<size_t>(i)];
    if (!tenants.empty()) out->SetPart(i, "", std::move(tenants));
  }
  return out;
}

std::vector<const Tenant*> CatalogSnapshot::Tenants() const {
  std::vector<const Tenant*> out;
  out.reserve(tenant_count_);
  for (const CatalogPartPtr& part : parts_) {
    if (!part) continue;
    for (const TenantPtr& tenant : part->tenants) out.push_back(tenant.get());
  }
  std::sort(out.begin(), out.end(), [](const Tenant* a, const Tenant* b) { return a->id < b->id; });
  return out;
}

// ---- Look-ups

const Source* CatalogSnapshot::FindSource(std::string_view id) const {
  const auto found = sources_->by_id.find(id);
  return found == sources_->by_id.end() ? nullptr : found->second;
}

const Source* CatalogSnapshot::FindSourceByPath(std::string_view path) const {
  const auto found = sources_->by_path.find(path);
  return found == sources_->by_path.end() ? nullptr : found->second;
}

const Tenant* CatalogSnapshot::FindTenant(std::string_view id) const {
  return Look(by_id_, id);
}

const Tenant* CatalogSnapshot::FindTenantByDomain(std::string_view lower_case_domain) const {
  return Look(by_domain_, lower_case_domain);
}

const Tenant* CatalogSnapshot::FindTenantByAppId(std::string_view appid) const {
  return Look(by_appid_, appid);
}

const Tenant* CatalogSnapshot::FindTenantByStream(std::string_view stream_id) const {
  for (const auto& [size, count] : prefix_sizes_) {
    if (size > stream_id.size()) continue;
    if (const Tenant* tenant = Look(by_prefix_, stream_id.substr(0, size))) return tenant;
  }
  return nullptr;
}

const Endpoint* CatalogSnapshot::FindEndpoint(uint64_t number, const Tenant** tenant) const {
  const auto* found = by_number_.Find(number);
  if (!found) return nullptr;
  if (tenant) *tenant = found->first;
  return found->second;
}

const EndpointRuntimeState* CatalogSnapshot::FindRuntimeState(uint64_t number) const {
  const auto found = runtime_->find(number);
  return found == runtime_->end() ? nullptr : &found->second;
}

TenantPtr CatalogSnapshot::ShareTenant(std::string_view id) const {
  return Among(part(CatalogPartOf(id)), id);
}

// ---- Changes

void CatalogSnapshot::SetSources(std::vector<Source> sources) {
  if (sources == sources_->all) return;
  auto next = std::make_shared<Sources>();
  next->all = std::move(sources);
  for (const Source& source : next->all) {
    next->by_id.emplace(source.id, &source);
    next->by_path.emplace(source.path, &source);
  }
  sources_ = std::move(next);
}

void CatalogSnapshot::SetRuntime(EndpointRuntimeStates runtime) {
  if (runtime == *runtime_) return;
  runtime_ = std::make_shared<const EndpointRuntimeStates>(std::move(runtime));
}

void CatalogSnapshot::SetPart(int index, std::string digest, std::vector<Tenant> tenants) {
  auto part = std::make_shared<CatalogPart>();
  part->digest = std::move(digest);
  part->tenants.reserve(tenants.size());
  const CatalogPartPtr& old = this->part(index);
  for (Tenant& tenant : tenants) {
    RELAY_CHECK(CatalogPartOf(tenant.id) == index);
    TenantPtr known = Among(old, tenant.id);
    if (!known || *known != tenant) known = std::make_shared<const Tenant>(std::move(tenant));
    part->tenants.push_back(std::move(known));
  }
  std::sort(part->tenants.begin(), part->tenants.end(), ById);
  ReplacePart(index, std::move(part));
}

void CatalogSnapshot::ClearPart(int index) {
  ReplacePart(index, nullptr);
}

void CatalogSnapshot::ReplacePart(int index, CatalogPartPtr part) {
  static const CatalogPart kEmpty;
  CatalogPartPtr& place = parts_[static_cast<size_t>(index)];
  const std::vector<TenantPtr>& before = place ? place->tenants : kEmpty.tenants;
  const std::vector<TenantPtr>& after = part ? part->tenants : kEmpty.tenants;
  for (const TenantPtr& tenant : before) {
    if (Among(part, tenant->id) != tenant) Remove(*tenant);
  }
  for (const TenantPtr& tenant : after) {
    if (Among(place, tenant->id) != tenant) Enter(*tenant);
  }
  // Last: the look-ups of what was there point into it.
  place = std::move(part);
}

void CatalogSnapshot::Enter(const Tenant& tenant) {
  ++tenant_count_;
  by_id_.Insert(tenant.id, &tenant);
  for (const std::string& domain : tenant.push_domains) by_domain_.Insert(domain, &tenant);
  for (const std::string& appid : tenant.appids) by_appid_.Insert(appid, &tenant);
  for (const std::string& prefix : tenant.stream_prefixes) {
    by_prefix_.Insert(prefix, &tenant);
    CountPrefix(prefix.size(), 1);
  }
  for (const Endpoint& endpoint : tenant.endpoints) {
    // Number 0: the catalog store has not given it one yet.
    if (endpoint.number != 0) by_number_.Insert(endpoint.number, {&tenant, &endpoint});
  }
}

void CatalogSnapshot::Remove(const Tenant& tenant) {
  --tenant_count_;
  by_id_.Erase(tenant.id, &tenant);
  for (const std::string& domain : tenant.push_domains) by_domain_.Erase(domain, &tenant);
  for (const std::string& appid : tenant.appids) by_appid_.Erase(appid, &tenant);
  for (const std::string& prefix : tenant.stream_prefixes) {
    by_prefix_.Erase(prefix, &tenant);
    CountPrefix(prefix.size(), -1);
  }
  for (const Endpoint& endpoint : tenant.endpoints) {
    if (endpoint.number != 0) by_number_.Erase(endpoint.number, {&tenant, &endpoint});
  }
}

void CatalogSnapshot::CountPrefix(size_t size, int change) {
  const auto at = std::lower_bound(prefix_sizes_.begin(), prefix_sizes_.end(), size,
                                   [](const auto& entry, size_t key) { return entry.first > key; });
  if (at == prefix_sizes_.end() || at->first != size) {
    prefix_sizes_.insert(at, {size, change});
  } else if ((at->second += change) == 0) {
    prefix_sizes_.erase(at);
  }
}

}  // namespace relay

#include "relay/tenant_router.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

constexpr char LowerCase(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerCase(c);
  return lower;
}

template <typename Index>
const Tenant* Look(const Index& index, std::string_view key) {
  const auto at = index.find(key);
  return at == index.end() ? nullptr : at->second;
}

}  // namespace

void RouteAttributes::Clear() {
  push_domain.clear();
  appid.clear();
  stream_id.clear();
  stream_param.clear();
}

TenantRouter::TenantRouter(CatalogPtr catalog) : catalog_(std::move(catalog)) {
  RELAY_CHECK(catalog_ != nullptr);
  for (const Tenant& tenant : catalog_->tenants) {
    for (const std::string& domain : tenant.push_domains) {
      domains_.emplace(LowerCase(domain), &tenant);
    }
    for (const std::string& appid : tenant.appids) appids_.emplace(appid, &tenant);
    for (const std::string& prefix : tenant.stream_prefixes) {
      prefixes_.emplace(prefix, &tenant);
      prefix_sizes_.push_back(prefix.size());
    }
  }
  std::sort(prefix_sizes_.begin(), prefix_sizes_.end(), std::greater<>());
  prefix_sizes_.erase(std::unique(prefix_sizes_.begin(), prefix_sizes_.end()), prefix_sizes_.end());
}

const Tenant* TenantRouter::Route(const Source& source, const RouteAttributes& attributes) const {
  switch (source.route_by) {
    case RouteBy::kFixedTenant:
      return catalog_->FindTenant(source.route_tenant);
    case RouteBy::kPushDomain:
      return ByDomain(attributes.push_domain);
    case RouteBy::kAppId:
      return Look(appids_, attributes.appid);
    case RouteBy::kStreamPrefix:
      return ByPrefix(attributes.stream_id);
    case RouteBy::kStreamParam:
      return catalog_->FindTenant(QueryValue(attributes.stream_param, source.route_param));
  }
  return nullptr;
}

const Tenant* TenantRouter::ByDomain(std::string_view domain) const {
  // No name of DNS is longer; what a stranger sends is not copied without a bound.
  constexpr size_t kDomainMax = 253;
  if (domain.size() > kDomainMax) return nullptr;
  std::array<char, kDomainMax> lower;
  std::transform(domain.begin(), domain.end(), lower.begin(), [](char c) { return LowerCase(c); });
  return Look(domains_, {lower.data(), domain.size()});
}

const Tenant* TenantRouter::ByPrefix(std::string_view stream_id) const {
  for (const size_t size : prefix_sizes_) {
    if (size > stream_id.size()) continue;
    if (const Tenant* tenant = Look(prefixes_, stream_id.substr(0, size))) return tenant;
  }
  return nullptr;
}

std::string_view QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

}  // namespace relay

#include "relay/tenant_router.h"

#include <algorithm>
#include <array>
#include <utility>

#include "relay/ascii.h"
#include "relay/check.h"

namespace relay {
namespace {}  // namespace

void RouteAttributes::Clear() {
  push_domain.clear();
  appid.clear();
  stream_id.clear();
  stream_param.clear();
}

TenantRouter::TenantRouter(CatalogPtr catalog) : catalog_(std::move(catalog)) {
  RELAY_CHECK(catalog_ != nullptr);
}

const Tenant* TenantRouter::Route(const Source& source, const RouteAttributes& attributes) const {
  switch (source.route_by) {
    case RouteBy::kFixedTenant:
      return catalog_->FindTenant(source.route_tenant);
    case RouteBy::kPushDomain:
      return ByDomain(attributes.push_domain);
    case RouteBy::kAppId:
      return catalog_->FindTenantByAppId(attributes.appid);
    case RouteBy::kStreamPrefix:
      return catalog_->FindTenantByStream(attributes.stream_id);
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
  return catalog_->FindTenantByDomain({lower.data(), domain.size()});
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

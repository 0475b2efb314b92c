#include "workers/endpoint_table.h"

#include <utility>

#include "relay/catalog_rules.h"

namespace relay {

void EndpointTable::SetCatalog(CatalogPtr catalog) {
  catalog_ = std::move(catalog);
  // Groups of tenants that are gone are not looked for; when they are the most, all go.
  if (groups_.size() > 2 * catalog_->tenant_count()) groups_.clear();
}

EndpointTable::Group EndpointTable::Compile(TenantPtr tenant) const {
  Group group{std::move(tenant), {}, {}};
  std::vector<EventPattern> patterns;
  for (const Endpoint& endpoint : group.tenant->endpoints) {
    if (endpoint.state == EndpointState::kDisabled) continue;
    Result<EventPattern> pattern = EventPattern::Parse(endpoint.pattern);
    if (!pattern.ok()) {
      log_.Error("pattern_refused", "an endpoint's pattern cannot be compiled: it matches nothing",
                 {{"tenant", group.tenant->id},
                  {"endpoint", endpoint.id},
                  {"error", pattern.status().ToString()}});
      continue;
    }
    group.endpoints.push_back(&endpoint);
    patterns.push_back(*std::move(pattern));
  }
  group.patterns = PatternIndex(std::move(patterns));
  return group;
}

EndpointTable::Group& EndpointTable::GroupOf(const Tenant& tenant) {
  Group& group = groups_[tenant.id];
  if (group.tenant.get() != &tenant) group = Compile(catalog_->ShareTenant(tenant.id));
  return group;
}

EndpointTable::Match EndpointTable::MatchEvent(const Event& event) {
  Match match;
  match.tenant = catalog_->FindTenant(event.tenant);
  if (match.tenant == nullptr) return match;
  Group& group = GroupOf(*match.tenant);
  if (event.source == kReservedSource) {
    for (const Endpoint* endpoint : group.endpoints) {
      if (endpoint->id != match.tenant->operator_endpoint) continue;
      match.owed.push_back({endpoint, StandingOf(*endpoint)});
    }
    return match;
  }
  // The broker has checked the body already; one that is no object (another provider's) has no
  // members, so that patterns on members do not match it.
  const bool has_members = group.patterns.needs_body() && body_.Parse(event.body).ok();
  group.patterns.Match(has_members ? &body_ : nullptr, {event.type, event.source, event.tenant},
                       matching_);
  match.owed.reserve(matching_.size());
  for (const uint32_t i : matching_) {
    match.owed.push_back({group.endpoints[i], StandingOf(*group.endpoints[i])});
  }
  return match;
}

EndpointStanding EndpointTable::Find(uint64_t number, const Tenant** tenant,
                                     const Endpoint** endpoint) const {
  *endpoint = catalog_->FindEndpoint(number, tenant);
  return *endpoint ? StandingOf(**endpoint) : EndpointStanding::kUnknown;
}

EndpointStanding EndpointTable::StandingOf(const Endpoint& endpoint) const {
  const EndpointRuntimeState* runtime = catalog_->FindRuntimeState(endpoint.number);
  if (endpoint.state == EndpointState::kDisabled || (runtime && runtime->disabled)) {
    return EndpointStanding::kDisabled;
  }
  if (endpoint.state == EndpointState::kPaused || (runtime && runtime->paused)) {
    return EndpointStanding::kPaused;
  }
  return EndpointStanding::kActive;
}

}  // namespace relay

#include "workers/endpoint_table.h"

#include <utility>

namespace relay {

EndpointTable::EndpointTable(CatalogPtr catalog, Log& log) : catalog_(std::move(catalog)) {
  by_tenant_.reserve(catalog_->tenants.size());
  for (const Tenant& tenant : catalog_->tenants) {
    Group group{.tenant = &tenant, .endpoints = {}};
    for (const Endpoint& endpoint : tenant.endpoints) {
      if (endpoint.state == EndpointState::kDisabled) continue;
      Result<EventPattern> pattern = EventPattern::Parse(endpoint.pattern);
      if (!pattern.ok()) {
        log.Error("pattern_refused", "an endpoint's pattern cannot be compiled: it matches nothing",
                  {{"tenant", tenant.id},
                   {"endpoint", endpoint.id},
                   {"error", pattern.status().ToString()}});
        continue;
      }
      group.needs_body = group.needs_body || pattern->needs_body();
      group.endpoints.push_back({&endpoint, StandingOf(endpoint), std::move(*pattern)});
    }
    by_tenant_.emplace(tenant.id, std::move(group));
  }
}

EndpointTable::Match EndpointTable::MatchEvent(const Event& event) {
  Match match;
  const auto found = by_tenant_.find(event.tenant);
  if (found == by_tenant_.end()) return match;
  const Group& group = found->second;
  match.tenant = group.tenant;
  // The broker has checked the body already; one that is no object (another provider's) has no
  // members, so that patterns on members do not match it.
  const bool has_members = group.needs_body && body_.Parse(event.body).ok();
  const EventAttributes attributes{event.type, event.source, event.tenant};
  match.owed.reserve(group.endpoints.size());
  for (const Compiled& compiled : group.endpoints) {
    if (compiled.pattern.needs_body() && !has_members) continue;
    if (!compiled.pattern.Matches(has_members ? &body_ : nullptr, attributes)) continue;
    match.owed.push_back({compiled.endpoint, compiled.standing});
  }
  return match;
}

EndpointStanding EndpointTable::Find(uint64_t number, const Tenant** tenant,
                                     const Endpoint** endpoint) const {
  *endpoint = catalog_->FindEndpoint(number, tenant);
  return *endpoint ? StandingOf(**endpoint) : EndpointStanding::kUnknown;
}

EndpointStanding EndpointTable::StandingOf(const Endpoint& endpoint) const {
  const auto runtime = catalog_->runtime.find(endpoint.number);
  const bool known = runtime != catalog_->runtime.end();
  if (endpoint.state == EndpointState::kDisabled || (known && runtime->second.disabled)) {
    return EndpointStanding::kDisabled;
  }
  if (endpoint.state == EndpointState::kPaused || (known && runtime->second.paused)) {
    return EndpointStanding::kPaused;
  }
  return EndpointStanding::kActive;
}

}  // namespace relay

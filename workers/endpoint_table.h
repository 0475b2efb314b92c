#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/catalog.h"
#include "relay/event.h"
#include "relay/event_pattern.h"
#include "relay/json_object.h"
#include "relay/log.h"

namespace relay {

// Whether an endpoint takes deliveries, by catalog and run time together.
enum class EndpointStanding {
  kActive,
  kPaused,    // Deliveries wait in the retry set.
  kDisabled,  // Deliveries become dead letters.
  kUnknown,   // Not in the catalog.
};

// Which endpoints are owed an event, for one snapshot of the catalog: patterns compiled, a tenant's
// endpoints side by side, so that matching costs what that tenant has and nothing for the others.
// Immutable but for the buffer of the JSON parser; swapped whole with the snapshot. Loop thread
// only.
class EndpointTable {
 public:
  struct Owed {
    const Endpoint* endpoint = nullptr;
    EndpointStanding standing = EndpointStanding::kActive;
  };
  struct Match {
    const Tenant* tenant = nullptr;  // Null: the catalog has no such tenant any more.
    std::vector<Owed> owed;
  };

  // A pattern that cannot be compiled (apply refuses those) matches nothing, and `log` says so.
  EndpointTable(CatalogPtr catalog, Log& log);

  // What the catalog disables is owed nothing; what the run time has disabled is owed a dead
  // letter.
  Match MatchEvent(const Event& event);
  // `endpoint` and `tenant` receive what the number stands for, or null.
  EndpointStanding Find(uint64_t number, const Tenant** tenant, const Endpoint** endpoint) const;

  const CatalogPtr& catalog() const { return catalog_; }

 private:
  struct Compiled {
    const Endpoint* endpoint;
    EndpointStanding standing;
    EventPattern pattern;
  };
  struct Group {
    const Tenant* tenant = nullptr;
    bool needs_body = false;
    std::vector<Compiled> endpoints;
  };

  EndpointStanding StandingOf(const Endpoint& endpoint) const;

  const CatalogPtr catalog_;
  std::unordered_map<std::string_view, Group> by_tenant_;
  JsonObject body_;
};

}  // namespace relay

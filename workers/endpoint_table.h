#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/catalog_snapshot.h"
#include "relay/event.h"
#include "relay/json_object.h"
#include "relay/log.h"
#include "relay/pattern_index.h"

namespace relay {

// Whether an endpoint takes deliveries, by catalog and run time together.
enum class EndpointStanding {
  kActive,
  kPaused,    // Deliveries wait in the retry set.
  kDisabled,  // Deliveries become dead letters.
  kUnknown,   // Not in the catalog.
};

// Which endpoints are owed an event. A tenant's patterns are compiled when its first event comes
// and indexed together until the tenant changes, so that matching costs what comes near to matching
// and nothing for other tenants, and another catalog costs nothing before it is asked for. Loop
// thread only.
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
  EndpointTable(CatalogPtr catalog, Log& log) : catalog_(std::move(catalog)), log_(log) {}

  // What was given out before points into the snapshot of then.
  void SetCatalog(CatalogPtr catalog);

  // What the catalog disables is owed nothing; what the run time has disabled is owed a dead
  // letter. A notice is owed to its tenant's operator alone, whatever the pattern says.
  Match MatchEvent(const Event& event);
  // `endpoint` and `tenant` receive what the number stands for, or null.
  EndpointStanding Find(uint64_t number, const Tenant** tenant, const Endpoint** endpoint) const;

  const CatalogPtr& catalog() const { return catalog_; }

 private:
  struct Group {
    // What it was compiled from: shared, because it may outlast the snapshot; never another tenant
    // at the same address.
    TenantPtr tenant;
    std::vector<const Endpoint*> endpoints;
    PatternIndex patterns;  // Those of `endpoints`, in their order.
  };

  Group& GroupOf(const Tenant& tenant);
  Group Compile(TenantPtr tenant) const;
  EndpointStanding StandingOf(const Endpoint& endpoint) const;

  CatalogPtr catalog_;
  Log& log_;
  std::unordered_map<std::string, Group> groups_;  // By the tenant's id.
  JsonObject body_;
  std::vector<uint32_t> matching_;  // A buffer of MatchEvent().
};

}  // namespace relay

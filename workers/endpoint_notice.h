#pragma once

#include <cstdint>
#include <string>

#include "relay/catalog.h"
#include "relay/event.h"

namespace relay {

// Why an endpoint is disabled, and since when; both come from outside, so that any worker that sees
// the same says the same.
struct DisableCause {
  std::string reason;  // "answered 410"
  int64_t failing_since_ms = 0;
};

// The event by which a tenant's operator endpoint is told that an endpoint was disabled: of source
// `relay`, type `endpoint.disabled`, ordered by the endpoint's id, so that all notices of an
// endpoint share a partition. Its id follows from endpoint, reason and since: made by two workers,
// or again after a crash, it is a repeat within its window. No URL's query is told; it may hold a
// secret.
Event DisabledNotice(const Tenant& tenant, const Endpoint& endpoint, const DisableCause& cause,
                     uint64_t catalog_version, WallTime now);

}  // namespace relay

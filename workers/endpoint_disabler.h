#pragma once

#include <cstdint>
#include <set>

#include "relay/call_scope.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "workers/endpoint_notice.h"

namespace relay {

// Disables endpoints at run time, and never in silence: first the notice to the tenant's operator
// endpoint is stored, then the state is set. A crash or a refusal in between leaves the endpoint
// enabled; who sees its next failure begins anew, with the same notice where the cause is the same.
// Without an operator endpoint, or where that itself is the one to be disabled, nobody can be told:
// the log says so.
//
// All references outlive it. Loop thread only. Destroying it forgets what is under way.
class EndpointDisabler {
 public:
  EndpointDisabler(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs, Log& log,
                   int partitions);

  // One at a time for each endpoint: another call meanwhile is ignored, as is one for what the
  // newest snapshot shows as disabled, or no longer has.
  void Disable(uint64_t endpoint, const DisableCause& cause);

 private:
  void StoreNotice(const Event& notice, uint64_t endpoint, const std::string& reason);
  void SetDisabled(uint64_t endpoint, const std::string& reason);
  void OnFailed(uint64_t endpoint, const Status& status);

  EventLoop& loop_;
  RedisClient& redis_;
  CatalogStore& catalogs_;
  Log& log_;
  const int partitions_;
  std::set<uint64_t> under_way_;
  CallScope scope_;
};

}  // namespace relay

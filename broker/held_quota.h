#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/admission.h"
#include "relay/catalog_snapshot.h"
#include "relay/event_loop.h"
#include "relay/partition_sums.h"
#include "relay/redis_client.h"

namespace relay {

// While Redis is short of memory, finds out once a second which tenants hold more than their quota
// of deliveries or bytes, and tells the Admission. It asks only for tenants that have sent
// something meanwhile, so its cost does not grow with the catalog.
//
// `loop`, `redis` and `admission` outlive it. Loop thread only.
class HeldQuota {
 public:
  static constexpr Millis kInterval{1000};
  // Tenants asked for in one round; the others have their turn when they send again.
  static constexpr size_t kTenantsMax = 1000;

  HeldQuota(EventLoop& loop, RedisClient& redis, int partitions, Admission& admission);

  void SetCatalog(CatalogPtr catalog) { catalog_ = std::move(catalog); }
  // `tenant` is sending. Cheap unless memory is short.
  void NoteActive(const Tenant& tenant);

 private:
  void OnTick();
  void OnHeld(const Result<std::vector<int64_t>>& held);

  PartitionSums sums_;
  Admission& admission_;
  CatalogPtr catalog_;
  std::unique_ptr<Timer> timer_;
  std::unordered_set<std::string> active_;  // Since the last round.
  std::vector<std::string> asked_;          // In the round that is under way.
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/admission.h"
#include "relay/call_scope.h"
#include "relay/catalog_snapshot.h"
#include "relay/event_loop.h"
#include "relay/redis_client.h"
#include "relay/stream_layout.h"

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
  struct Held {
    int64_t deliveries = 0;
    int64_t bytes = 0;
  };

  void OnTick();
  void OnHeld(const Result<RedisValue>& reply);
  void FinishRound();

  RedisClient& redis_;
  const std::vector<PartitionKeys> partitions_;
  Admission& admission_;
  CatalogPtr catalog_;
  std::unique_ptr<Timer> timer_;
  std::unordered_set<std::string> active_;  // Since the last round.

  // Of the round that is under way.
  std::vector<std::string> asked_;
  std::vector<Held> held_;  // In the order of `asked_`.
  size_t replies_due_ = 0;
  bool round_failed_ = false;
  CallScope scope_;
};

}  // namespace relay

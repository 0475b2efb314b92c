#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/partition_sums.h"
#include "relay/redis_client.h"
#include "workers/endpoint_table.h"

namespace relay {

// Knows which tenants have as much waiting for their paused endpoints as they may: limits of
// `held_deliveries` and `held_bytes` of the catalog. What comes beyond it for a paused endpoint
// becomes a dead letter, so that a pause that nobody ends cannot fill Redis.
//
// Once a second, and only of tenants for whose paused endpoints something has come lately, it asks
// what they are charged in all partitions together. Those who are charged less than their quota,
// dead letters included, hold less; of the others it counts what waits for paused endpoints. The
// bytes of that are taken to be the same share of what the tenant is charged as the deliveries are,
// because the body of an event stands once for all its deliveries.
//
// So a tenant exceeds its quota by what comes within a second or two. Until the first answer, and
// while Redis does not answer, what was known last stays in force.
//
// All references outlive it. Loop thread only.
class PausedQuota {
 public:
  static constexpr Millis kInterval{1000};
  // For how long a tenant is asked for after something has come for it.
  static constexpr std::chrono::minutes kAskedFor{10};
  // In one round; the others have their turn when something comes for them again.
  static constexpr size_t kTenantsMax = 1000;
  // Of one round, in which each costs a look-up a partition.
  static constexpr size_t kEndpointsMax = 1000;

  PausedQuota(EventLoop& loop, RedisClient& redis, int partitions, const EndpointTable& table,
              Log& log);

  // Whether one more delivery may be held for a paused endpoint of `tenant`.
  bool Admits(const Tenant& tenant);

 private:
  struct Charge {
    int64_t deliveries = 0;
    int64_t bytes = 0;
  };
  // A tenant that may be over its quota, and its paused endpoints.
  struct Suspect {
    std::string tenant;
    Charge charge;
    std::vector<uint64_t> endpoints;
  };

  void OnTick();
  void OnCharges(const Result<std::vector<int64_t>>& charges);
  std::vector<uint64_t> PausedEndpointsOf(const Tenant& tenant) const;
  void OnWaiting(const Result<std::vector<int64_t>>& waiting);
  void SetOver(std::unordered_set<std::string> over);

  EventLoop& loop_;
  const EndpointTable& table_;
  Log& log_;
  PartitionSums sums_;
  std::unordered_map<std::string, MonoTime> noted_;  // Tenant -> when something came last.
  std::unordered_set<std::string> over_;
  // Of the round that is under way.
  std::vector<std::string> asked_;
  std::vector<Suspect> suspects_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace relay

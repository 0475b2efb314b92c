#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "relay/catalog.h"
#include "relay/clock.h"
#include "relay/metrics.h"

namespace relay {

// How much of `maxmemory` Redis has in use, from 0 to 1; 0 where it has no limit.
double MemoryShare(int64_t used_bytes, int64_t max_bytes);

// Decides who is told to come back later, so that neither this process nor Redis fills up:
//   stores under way and their bytes, in this process       503
//     (and of one connection while Redis is behind: see StoreBacklog)
//   events a second of a tenant, in this process            429
//   memory of Redis over shed_at, tenant over its quota     429
//   memory of Redis over refuse_at                          503
// A provider that is told so sends again: its own retries are the buffer then.
//
// `clock` outlives it. Loop thread only.
class Admission {
 public:
  struct Limits {
    int in_flight_max = 4096;
    int64_t in_flight_bytes = 64 * 1024 * 1024;
    Micros store_wait_max = Seconds(1);
    double shed_at = 0.75;
    double refuse_at = 0.85;
  };
  struct Refusal {
    int status = 503;
    std::string_view reason;  // One word, for metric and answer.
    Seconds retry_after{1};
  };

  Admission(const Clock& clock, Limits limits, Metrics& metrics);

  // Whether a request with a body of so many bytes may be looked at now.
  std::optional<Refusal> RefuseRequest(size_t body_bytes) const;
  // Whether `tenant` may store one more event now; counts it when it may.
  std::optional<Refusal> RefuseTenant(const Tenant& tenant);

  // A store of `bytes` begins and ends.
  void Begin(size_t bytes);
  void End(size_t bytes);
  int in_flight() const { return in_flight_; }
  // What a store may wait for Redis, for whoever sends it.
  Micros store_wait_max() const { return limits_.store_wait_max; }

  // What the watch over Redis's memory has seen last.
  void SetMemoryShare(double share);
  bool shedding() const { return memory_share_ >= limits_.shed_at; }
  void SetOverQuota(std::unordered_set<std::string> tenants) { over_quota_ = std::move(tenants); }

 private:
  // Tokens of one tenant: one is taken by each event, accept_per_s a second come in, and no more
  // than those of one second are kept.
  struct Bucket {
    double tokens = 0;
    MonoTime filled_at;
  };

  bool TakeToken(const Tenant& tenant);

  const Clock& clock_;
  const Limits limits_;
  Gauge& in_flight_gauge_;
  int in_flight_ = 0;
  int64_t bytes_ = 0;
  double memory_share_ = 0;
  std::unordered_set<std::string> over_quota_;
  std::unordered_map<std::string, Bucket> buckets_;  // Of tenants with a rate, as they come.
};

}  // namespace relay

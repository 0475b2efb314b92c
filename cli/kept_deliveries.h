#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/redis_session.h"
#include "relay/attempt_record.h"

namespace relay {

// A delivery that stands in an endpoint's retries or dead letters.
struct KeptDelivery {
  const PartitionKeys* partition = nullptr;
  Member member;
  uint64_t endpoint = 0;
  std::string endpoint_name;  // "tenant/endpoint", or "tenant/#7" when the catalog has it no more.
  int64_t score = 0;          // As stream_layout.h says of the set.
  Event event;
  std::vector<AttemptRecord> history;
};

// Reads what Redis keeps of deliveries that are neither done nor under way for the first time: what
// every walk over retries or dead letters shares.
class KeptDeliveries {
 public:
  // Narrowed to a tenant and to an endpoint ("id" or "tenant/id"); empty narrows nothing.
  KeptDeliveries(RedisSession& session, CatalogPtr catalog, std::string tenant,
                 std::string endpoint)
      : session_(session),
        catalog_(std::move(catalog)),
        tenant_(std::move(tenant)),
        endpoint_(std::move(endpoint)) {}

  // The wanted endpoints that have anything in the partition.
  Result<std::vector<uint64_t>> EndpointsOf(const PartitionKeys& keys);
  // Payloads and histories for members and scores in turn. What is gone by now is left out, and so
  // is what another tenant owns.
  Result<std::vector<KeptDelivery>> Load(const PartitionKeys& keys, uint64_t endpoint,
                                         std::span<const RedisValue> members_and_scores);

 private:
  bool WantsEndpoint(uint64_t number) const;

  RedisSession& session_;
  const CatalogPtr catalog_;
  const std::string tenant_;
  const std::string endpoint_;
};

}  // namespace relay

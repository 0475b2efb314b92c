#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/redis_session.h"
#include "relay/attempt_record.h"

namespace relay {

// Which dead letters a command is about. What is absent narrows nothing.
struct DeadLetterFilter {
  std::string tenant;
  std::string endpoint;  // Its id; "tenant/id" is taken too.
  std::string type;
  std::string event_id;
  std::optional<int64_t> since_ms, until_ms;  // Time of death, by Redis's clock.
  std::optional<DeadLetterReason> reason;
};

struct DeadLetter {
  const PartitionKeys* partition = nullptr;
  Member member;
  uint64_t endpoint = 0;
  std::string endpoint_name;  // "tenant/endpoint", or "tenant/#7" when the catalog has it no more.
  int64_t died_ms = 0;
  Event event;
  std::vector<AttemptRecord> history;
};

// Walks the dead letters that the filter lets through, page by page: partition by partition,
// endpoint by endpoint, the oldest first.
class DeadLetterWalk {
 public:
  static constexpr int kPage = 200;
  // Is given what matched of a page, all of one endpoint and partition; never empty. Returns how
  // many of them it has taken out of the set.
  using Visit = std::function<Result<int64_t>(const std::vector<DeadLetter>&)>;

  DeadLetterWalk(RedisSession& session, CatalogPtr catalog, DeadLetterFilter filter)
      : session_(session), catalog_(std::move(catalog)), filter_(std::move(filter)) {}
  Status Run(const Visit& visit);

 private:
  bool WantsEndpoint(uint64_t number) const;
  Status WalkEndpoint(const PartitionKeys& keys, uint64_t endpoint, const Visit& visit);
  // What of these matches, with its payload and history.
  Result<std::vector<DeadLetter>> Load(const PartitionKeys& keys, uint64_t endpoint,
                                       const RedisValue& page);
  bool Matches(const DeadLetter& letter) const;
  std::string NameOf(uint64_t endpoint, const Event& event) const;

  RedisSession& session_;
  const CatalogPtr catalog_;
  const DeadLetterFilter filter_;
};

}  // namespace relay

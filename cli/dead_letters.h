#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/kept_deliveries.h"
#include "relay/event_pattern.h"
#include "relay/json_object.h"

namespace relay {

// Which dead letters a command is about. What is absent narrows nothing.
struct DeadLetterFilter {
  std::string tenant;
  std::string endpoint;  // Its id; "tenant/id" is taken too.
  std::string type;
  std::string event_id;
  std::optional<int64_t> since_ms, until_ms;  // Time of death, by Redis's clock.
  std::optional<DeadLetterReason> reason;
  EventPattern pattern;  // Of the event, as an endpoint's.
};

struct DeadLetter : KeptDelivery {
  int64_t died_ms = 0;
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
      : session_(session),
        filter_(std::move(filter)),
        kept_(session, std::move(catalog), filter_.tenant, filter_.endpoint) {}
  Status Run(const Visit& visit);
  // How many the filter lets through; payloads are only looked at where it asks for what they say.
  Result<int64_t> Count();

 private:
  bool AsksForPayload() const;
  Result<int64_t> CountByTime();
  Status WalkEndpoint(const PartitionKeys& keys, uint64_t endpoint, const Visit& visit);
  bool Matches(const DeadLetter& letter);
  bool MatchesPattern(const Event& event);

  RedisSession& session_;
  const DeadLetterFilter filter_;
  KeptDeliveries kept_;
  JsonObject body_;
};

}  // namespace relay

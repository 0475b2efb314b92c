#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/kept_deliveries.h"

namespace relay {

// An event that is stored and of which not every endpoint has been decided or put down for later.
struct PendingEvent {
  Event event;
  bool read = false;  // By a worker: it stands on the pending entries list.
  // Its place and what is wrong with it, where it cannot be decoded; then `event` is empty.
  std::string damage;
};

// Walks what Redis still owes: the events that are not settled yet, and the retries of those that
// are. On a live system work moves while it is walked, from unread to read to retry; the walk goes
// the same way, so it may meet an event twice and misses none.
class PendingWalk {
 public:
  // Never called with nothing.
  struct Visitor {
    std::function<void(const std::vector<PendingEvent>&)> on_events;
    std::function<void(const std::vector<KeptDelivery>&)> on_retries;
  };

  // Narrowed to a tenant and to an endpoint; empty narrows nothing. With an endpoint only its
  // retries are walked, because an event that is not settled names none.
  PendingWalk(RedisSession& session, CatalogPtr catalog, std::string tenant, std::string endpoint)
      : session_(session),
        tenant_(std::move(tenant)),
        only_retries_(!endpoint.empty()),
        kept_(session, std::move(catalog), tenant_, std::move(endpoint)) {}
  Status Run(const Visitor& visitor);

 private:
  Status WalkEvents(const PartitionKeys& keys, EventClass event_class, const Visitor& visitor);
  Status WalkUnread(const std::string& stream, std::string after, const Visitor& visitor);
  Status WalkRead(const PartitionKeys& keys, EventClass event_class, const Visitor& visitor);
  Status WalkRetries(const PartitionKeys& keys, uint64_t endpoint, const Visitor& visitor);
  // The last entry of the stream that any worker has read: empty when there is no stream.
  Result<std::string> LastRead(const std::string& stream);
  Status Show(const std::string& stream, const std::vector<RedisValue>& entries, bool read,
              const Visitor& visitor) const;

  RedisSession& session_;
  const std::string tenant_;
  const bool only_retries_;
  KeptDeliveries kept_;
};

}  // namespace relay

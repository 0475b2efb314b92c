#include "broker/event_publisher.h"

#include <chrono>
#include <utility>

#include "relay/check.h"
#include "relay/redis_scripts.h"
#include "relay/unrouted_event.h"

namespace relay {
namespace {

StoreOutcome OutcomeOf(const Result<RedisValue>& reply) {
  if (!reply.ok()) {
    return reply.status().code() == StatusCode::kDeadlineExceeded ? StoreOutcome::kTimedOut
                                                                  : StoreOutcome::kUnavailable;
  }
  // The id of the new entry; everything else is no promise.
  return reply->is_text() ? StoreOutcome::kStored : StoreOutcome::kRefused;
}

}  // namespace

std::string_view StoreOutcomeName(StoreOutcome outcome) {
  switch (outcome) {
    case StoreOutcome::kStored:
      return "stored";
    case StoreOutcome::kRefused:
      return "store_refused";
    case StoreOutcome::kUnavailable:
      return "store_unavailable";
    case StoreOutcome::kTimedOut:
      return "store_timed_out";
  }
  return "";
}

EventPublisher::EventPublisher(EventLoop& loop, std::vector<RedisClient*> clients, int partitions,
                               Metrics& metrics, OnOutcome on_outcome)
    : loop_(loop),
      clients_(std::move(clients)),
      partitions_(AllPartitionKeys(partitions)),
      on_outcome_(std::move(on_outcome)),
      store_seconds_(metrics.GetHistogram("relay_store_seconds",
                                          "From sending an event to Redis to its answer")),
      store_batch_(metrics.GetHistogram("relay_store_batch",
                                        "Events sent to Redis in one turn of the loop", {},
                                        {1, 2, 4, 8, 16, 32, 64, 128, 256, 512})) {
  RELAY_CHECK(!clients_.empty());
}

void EventPublisher::Publish(const Event& event, Ticket ticket) {
  const int partition =
      PartitionOf(event.tenant, event.ordering_key, event.id, static_cast<int>(partitions_.size()));
  Send(partition % clients_.size(), StoreEvent(partitions_[partition], event), ticket);
}

void EventPublisher::PublishUnrouted(const Event& event, const RouteAttributes& attributes,
                                     Ticket ticket) {
  Send(0, KeepUnrouted(event, attributes), ticket);
}

void EventPublisher::Send(size_t client, const RedisCommand& command, Ticket ticket) {
  if (ticket >= sent_at_.size()) sent_at_.resize(ticket + 1);
  sent_at_[ticket] = loop_.clock().Now();
  ++sent_this_turn_;
  loop_.AtTurnEnd(*this, Phase::kBatch);
  clients_[client]->Send(
      command, scope_, [this, ticket](const Result<RedisValue>& reply) { OnReply(ticket, reply); });
}

void EventPublisher::OnReply(Ticket ticket, const Result<RedisValue>& reply) {
  const StoreOutcome outcome = OutcomeOf(reply);
  if (outcome == StoreOutcome::kStored) {
    const std::chrono::duration<double> took = loop_.clock().Now() - sent_at_[ticket];
    store_seconds_.Observe(took.count());
  }
  on_outcome_(ticket, outcome);
}

void EventPublisher::OnTurnEnd() {
  store_batch_.Observe(sent_this_turn_);
  sent_this_turn_ = 0;
}

}  // namespace relay

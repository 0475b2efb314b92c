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
                               Micros wait_max, Metrics& metrics, OnOutcome on_outcome)
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
  for (size_t i = 0; i < clients_.size(); ++i) backlogs_.emplace_back(wait_max);
}

int EventPublisher::PartitionFor(const Event& event) const {
  return PartitionOf(event.tenant, event.ordering_key, event.id,
                     static_cast<int>(partitions_.size()));
}

bool EventPublisher::Full(const Event& event) const {
  // What belongs to no tenant goes over the first one.
  const size_t client = event.tenant.empty() ? 0 : PartitionFor(event) % clients_.size();
  return backlogs_[client].full(loop_.clock().Now());
}

void EventPublisher::Publish(const Event& event, Ticket ticket) {
  const int partition = PartitionFor(event);
  StoreEvent(partitions_[partition], event, store_);
  Send(partition % clients_.size(), store_, ticket);
}

void EventPublisher::PublishUnrouted(const Event& event, const RouteAttributes& attributes,
                                     Ticket ticket) {
  Send(0, KeepUnrouted(event, attributes), ticket);
}

void EventPublisher::Send(size_t client, const RedisCommand& command, Ticket ticket) {
  if (ticket >= sent_.size()) sent_.resize(ticket + 1);
  sent_[ticket] = {loop_.clock().Now(), client};
  backlogs_[client].OnSent(sent_[ticket].at);
  ++sent_this_turn_;
  loop_.AtTurnEnd(*this, Phase::kBatch);
  clients_[client]->Send(
      command, scope_, [this, ticket](const Result<RedisValue>& reply) { OnReply(ticket, reply); });
}

void EventPublisher::OnReply(Ticket ticket, const Result<RedisValue>& reply) {
  const Sent& sent = sent_[ticket];
  const MonoTime now = loop_.clock().Now();
  StoreBacklog& backlog = backlogs_[sent.client];
  reply.ok() ? backlog.OnAnswered(now) : backlog.OnLost();
  const StoreOutcome outcome = OutcomeOf(reply);
  if (outcome == StoreOutcome::kStored) {
    const std::chrono::duration<double> took = now - sent.at;
    store_seconds_.Observe(took.count());
  }
  on_outcome_(ticket, outcome);
}

void EventPublisher::OnTurnEnd() {
  store_batch_.Observe(sent_this_turn_);
  sent_this_turn_ = 0;
}

}  // namespace relay

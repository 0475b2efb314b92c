#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "broker/store_backlog.h"
#include "relay/call_scope.h"
#include "relay/event.h"
#include "relay/event_loop.h"
#include "relay/metrics.h"
#include "relay/redis_client.h"
#include "relay/stream_layout.h"
#include "relay/tenant_router.h"

namespace relay {

// What became of a store.
enum class StoreOutcome {
  kStored,       // Redis has said so: the event may be acknowledged.
  kRefused,      // Redis refused (out of memory, cannot write its log, not a master, ...).
  kUnavailable,  // No connection, or it broke before the answer: the event may be stored or not.
  kTimedOut,     // No answer in time: the event may be stored or not.
};
// One word, for metric and answer.
std::string_view StoreOutcomeName(StoreOutcome outcome);

// The only writer of the events that providers send, and of the unrouted ones. An event goes over
// the connection of its partition, so that the events of a stream are stored in the order in which
// they came; what is published in one turn leaves in one write a connection, for which Redis does
// one fsync.
//
// `loop`, `clients` and `metrics` outlive it. Loop thread only. Destroying it drops the outcomes
// that have not come.
class EventPublisher final : private TurnEndHook {
 public:
  // Names a store until its outcome has come. Small numbers, used again: they index a table.
  using Ticket = uint32_t;
  // Comes once for each store, never from inside the call that began it.
  using OnOutcome = std::function<void(Ticket ticket, StoreOutcome outcome)>;

  // `wait_max` is about what an event waits at most when Redis is behind (see StoreBacklog).
  // Requires: at least one client.
  EventPublisher(EventLoop& loop, std::vector<RedisClient*> clients, int partitions,
                 Micros wait_max, Metrics& metrics, OnOutcome on_outcome);

  // Stores `event` in its partition's stream.
  void Publish(const Event& event, Ticket ticket);
  // Whether the event would wait too long for Redis, which is behind: refuse it.
  bool Full(const Event& event) const;
  // Keeps an authentic event that belongs to no tenant, for `relayctl unrouted`.
  void PublishUnrouted(const Event& event, const RouteAttributes& attributes, Ticket ticket);

 private:
  struct Sent {
    MonoTime at;
    size_t client = 0;
  };

  int PartitionFor(const Event& event) const;
  void Send(size_t client, const RedisCommand& command, Ticket ticket);
  void OnReply(Ticket ticket, const Result<RedisValue>& reply);
  void OnTurnEnd() override;

  EventLoop& loop_;
  const std::vector<RedisClient*> clients_;
  const std::vector<PartitionKeys> partitions_;
  const OnOutcome on_outcome_;
  Histogram& store_seconds_;
  Histogram& store_batch_;
  RedisCommand store_{"XADD"};          // Used again for every event, so that it keeps its memory.
  std::vector<Sent> sent_;              // By ticket.
  std::vector<StoreBacklog> backlogs_;  // By connection, each of which replies in order.
  int sent_this_turn_ = 0;
  CallScope scope_;
};

}  // namespace relay

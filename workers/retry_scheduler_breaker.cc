// Endpoints behind an open breaker.

#include <algorithm>
#include <utility>

#include "relay/redis_upkeep.h"
#include "workers/retry_scheduler.h"

namespace relay {

// Held as those of a paused endpoint, so that a dead endpoint costs nothing at each poll.
void RetryScheduler::RestAll(const Endpoint& endpoint) {
  for (const int partition : due_.at(endpoint.number).partitions) {
    AddResting(endpoint.number, partition);
  }
  HoldAll(endpoint.number);
  // Its lane goes on asking for a probe.
  dispatcher_.BeginBacklog(endpoint);
}

void RetryScheduler::AddResting(uint64_t endpoint, int partition) {
  std::deque<int>& resting = resting_[endpoint];
  if (std::find(resting.begin(), resting.end(), partition) == resting.end()) {
    resting.push_back(partition);
  }
}

void RetryScheduler::OnBreaker(uint64_t endpoint, bool open) {
  const auto found = resting_.find(endpoint);
  if (open || found == resting_.end()) return;
  const std::deque<int> partitions = std::move(found->second);
  StopResting(endpoint);
  for (const int partition : partitions) {
    const auto desk = desks_.find(partition);
    if (desk != desks_.end()) ReleaseRetries(desk->second.tenure, endpoint);
  }
}

void RetryScheduler::OnProbe(uint64_t endpoint) {
  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  const auto found = resting_.find(endpoint);
  if (found == resting_.end() || found->second.empty()) return;
  if (table_.Find(endpoint, &tenant, &entry) != EndpointStanding::kActive) return;
  std::vector<DeliveryNumber> slots = dispatcher_.Reserve(*entry, 1);
  if (slots.empty()) return;
  // The partitions take turns, so that one whose retries are not due yet holds up no other.
  std::deque<int>& partitions = found->second;
  Probe(*entry, std::move(slots), partitions.size());
}

void RetryScheduler::Probe(const Endpoint& endpoint, std::vector<DeliveryNumber> slots,
                           size_t partitions_left) {
  const uint64_t number = endpoint.number;
  const auto found = resting_.find(number);
  if (found == resting_.end() || found->second.empty() || partitions_left == 0) {
    return dispatcher_.GiveBack(number, slots.front());
  }
  std::deque<int>& partitions = found->second;
  std::rotate(partitions.begin(), partitions.begin() + 1, partitions.end());
  const auto desk = desks_.find(partitions.back());
  if (desk == desks_.end() || desk->second.tenure->returning) {
    return dispatcher_.GiveBack(number, slots.front());
  }
  ++desk->second.takes_open;
  const TenurePtr& tenure = desk->second.tenure;
  const ScriptCall call = relay::Take(tenure->keys, tenure->owner, number, 1,
                                      endpoint.timeout + lease_margin_, kTakeBytes, /*probe=*/true);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure, number, partitions_left,
               slots = std::move(slots)](const Result<RedisValue>& reply) mutable {
                OnProbeTaken(tenure, number, partitions_left, std::move(slots), reply);
              });
}

void RetryScheduler::OnProbeTaken(const TenurePtr& tenure, uint64_t endpoint,
                                  size_t partitions_left, std::vector<DeliveryNumber> slots,
                                  const Result<RedisValue>& reply) {
  if (Desk* desk = DeskOf(tenure)) --desk->takes_open;
  Result<TakeReply> taken = reply.ok() ? ParseTake(*reply) : Result<TakeReply>(reply.status());
  if (!taken.ok() || tenure->over) {
    if (taken.status().code() == StatusCode::kConflict) events_.on_stale(tenure);
    return dispatcher_.GiveBack(endpoint, slots.front());
  }
  const bool found_one = !taken->deliveries.empty();
  for (TakenDelivery& delivery : taken->deliveries) {
    Handle(tenure, endpoint, std::move(delivery), slots);
  }
  if (slots.empty()) return;
  // What was taken had expired, or none was due here: look on.
  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  if (table_.Find(endpoint, &tenant, &entry) != EndpointStanding::kActive) {
    return dispatcher_.GiveBack(endpoint, slots.front());
  }
  Probe(*entry, std::move(slots), found_one ? partitions_left : partitions_left - 1);
}

void RetryScheduler::StopResting(uint64_t endpoint) {
  resting_.erase(endpoint);
  dispatcher_.EndBacklog(endpoint);
}

}  // namespace relay

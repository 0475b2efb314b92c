// Endpoints that rest.

#include <algorithm>

#include "relay/redis_upkeep.h"
#include "workers/retry_scheduler.h"
#include "workers/settlement.h"

namespace relay {

namespace {

// How long what has died while it was held is leased for its burial.
constexpr Millis kBurialLease{30'000};

}  // namespace

void RetryScheduler::HoldAll(uint64_t endpoint) {
  const std::deque<int> partitions = due_.at(endpoint).partitions;
  for (const int partition : partitions) {
    const auto desk = desks_.find(partition);
    if (desk != desks_.end()) {
      const TenurePtr& tenure = desk->second.tenure;
      const ScriptCall call = Hold(tenure->keys, tenure->owner, endpoint);
      redis_.Eval(*call.script, call.keys, call.args, scope_,
                  [this, tenure](const Result<RedisValue>& reply) { OnHoldAnswer(tenure, reply); });
    }
    ForgetDue(endpoint, partition);
  }
}

void RetryScheduler::OnHoldAnswer(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk || !reply.ok())
    return;  // A hold is repeated at the next poll, a release at the next take-over.
  const Result<bool> changed = ParseHold(*reply);
  if (changed.ok()) {
    desk->next_poll = std::min(desk->next_poll, desk->polled_at + kPollMin);
  } else if (changed.status().code() == StatusCode::kConflict) {
    events_.on_stale(tenure);
  }
}

void RetryScheduler::LookAtHeld(Desk& desk) {
  desk.next_held_look = loop_.clock().Now() + kHeldLook;
  redis_.Send(
      RedisCommand("SMEMBERS").Arg(desk.tenure->keys.hold), scope_,
      [this, tenure = desk.tenure](const Result<RedisValue>& reply) { OnHeld(tenure, reply); });
}

void RetryScheduler::OnHeld(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  if (!DeskOf(tenure) || !reply.ok()) return;
  const Result<std::vector<uint64_t>> held = ParseEndpoints(*reply);
  if (!held.ok()) return;
  for (const uint64_t endpoint : *held) {
    const Tenant* tenant = nullptr;
    const Endpoint* entry = nullptr;
    // The retries of a disabled endpoint must come due as well: they become dead letters then.
    const EndpointStanding standing = table_.Find(endpoint, &tenant, &entry);
    const bool behind_breaker =
        standing == EndpointStanding::kActive && resting_.count(endpoint) > 0;
    // An open breaker's closing releases what rests behind it, here as well: a former owner may
    // have held it.
    if (behind_breaker) AddResting(endpoint, tenure->partition);
    if (behind_breaker || standing == EndpointStanding::kPaused) {
      BuryExpired(tenure, *entry);
    } else {
      ReleaseRetries(tenure, endpoint);
    }
  }
}

void RetryScheduler::BuryExpired(const TenurePtr& tenure, const Endpoint& endpoint) {
  Desk* desk = DeskOf(tenure);
  if (!desk || tenure->returning) return;
  // As long as Redis's time is not known nothing is old; the reply tells it.
  const int64_t before_ms =
      redis_time_.known() ? redis_time_.NowMs(loop_.clock().Now()) - endpoint.deliver_within.count()
                          : 0;
  const uint64_t number = endpoint.number;
  ++desk->takes_open;
  const ScriptCall call =
      TakeOld(tenure->keys, tenure->owner, number, kTakeMax, kBurialLease, kTakeBytes, before_ms);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure, number](const Result<RedisValue>& reply) {
                OnExpiredTaken(tenure, number, reply);
              });
}

void RetryScheduler::OnExpiredTaken(const TenurePtr& tenure, uint64_t endpoint,
                                    const Result<RedisValue>& reply) {
  if (Desk* desk = DeskOf(tenure)) --desk->takes_open;
  Result<TakeReply> taken = reply.ok() ? ParseTake(*reply) : Result<TakeReply>(reply.status());
  if (!taken.ok() || tenure->over) {
    if (taken.status().code() == StatusCode::kConflict) events_.on_stale(tenure);
    return;
  }
  const bool knew_time = redis_time_.known();
  redis_time_.Learn(taken->now_ms, loop_.clock().Now());
  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  table_.Find(endpoint, &tenant, &entry);
  // Where two clocks differ, what is old by Redis's may not be so by ours: it is parked, and would
  // be taken again and again.
  const auto has_died = [&](const TakenDelivery& delivery) {
    return !delivery.event.ok() ||
           DeliveryWindowIsOver(*entry, WallTimeFromMicros(delivery.event->accepted_us),
                                loop_.clock().WallNow());
  };
  const bool go_on =
      entry != nullptr &&
      (!knew_time || (!taken->deliveries.empty() &&
                      std::all_of(taken->deliveries.begin(), taken->deliveries.end(), has_died)));
  std::vector<DeliveryNumber> no_slots;
  for (TakenDelivery& delivery : taken->deliveries) {
    Handle(tenure, endpoint, std::move(delivery), no_slots);
  }
  if (go_on) BuryExpired(tenure, *entry);
}

void RetryScheduler::ReleaseRetries(const TenurePtr& tenure, uint64_t endpoint) {
  const ScriptCall call = Release(tenure->keys, tenure->owner, endpoint);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure](const Result<RedisValue>& answer) { OnHoldAnswer(tenure, answer); });
}

}  // namespace relay

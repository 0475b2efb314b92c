// Endpoints that rest, and endpoints that have gone.

#include <utility>

#include "relay/redis_upkeep.h"
#include "workers/retry_scheduler.h"

namespace relay {

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

void RetryScheduler::ReleaseHeld(Desk& desk) {
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
    if (standing == EndpointStanding::kPaused) continue;
    // Its breaker's closing releases it.
    if (standing == EndpointStanding::kActive && resting_.count(endpoint) > 0) continue;
    ReleaseRetries(tenure, endpoint);
  }
}

void RetryScheduler::ReleaseRetries(const TenurePtr& tenure, uint64_t endpoint) {
  const ScriptCall call = Release(tenure->keys, tenure->owner, endpoint);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure](const Result<RedisValue>& answer) { OnHoldAnswer(tenure, answer); });
}

void RetryScheduler::LookForUnknown(uint64_t endpoint) {
  const std::deque<int> partitions = due_.at(endpoint).partitions;
  for (const int partition : partitions)
    ForgetDue(endpoint, partition);  // The next poll comes back.
  unknown_.insert(endpoint);
  const MonoTime now = loop_.clock().Now();
  if (reading_catalog_ || now < next_catalog_) return;
  reading_catalog_ = true;
  next_catalog_ = now + kCatalogAgain;
  catalogs_.Load([this, before = table_.catalog()->version(),
                  watch = scope_.watch()](const Result<CatalogPtr>& catalog) {
    if (!watch.gone()) OnCatalogRead(before, catalog);
  });
}

void RetryScheduler::OnCatalogRead(uint64_t version_before, const Result<CatalogPtr>& catalog) {
  reading_catalog_ = false;
  const std::set<uint64_t> missed = std::exchange(unknown_, {});
  // A catalog that is older than ours has lost something; nothing is dropped on its word.
  if (!catalog.ok() || (*catalog)->version() < version_before || (*catalog)->version() == 0) return;
  for (const uint64_t endpoint : missed) {
    if ((*catalog)->FindEndpoint(endpoint)) continue;
    gone_.insert(endpoint);
    log_.Warning("endpoint_gone", "retries of an endpoint that left the catalog are dropped",
                 {{"endpoint", endpoint}});
  }
}

}  // namespace relay

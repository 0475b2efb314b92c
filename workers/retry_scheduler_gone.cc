// Endpoints that have left the catalog: what they have waiting and their dead letters go with them.

#include <utility>

#include "relay/redis_upkeep.h"
#include "workers/retry_scheduler.h"

namespace relay {

namespace {

// A call stays far below 5 ms, and other work of the partition gets between two of them.
constexpr int kGoneBatch = 50;

}  // namespace

void RetryScheduler::LookForOwing(Desk& desk) {
  redis_.Send(
      ListOwing(desk.tenure->keys), scope_,
      [this, tenure = desk.tenure](const Result<RedisValue>& reply) { OnOwing(tenure, reply); });
}

void RetryScheduler::OnOwing(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk || !reply.ok()) return;
  const Result<std::vector<uint64_t>> owing = ParseEndpoints(*reply);
  if (!owing.ok()) return;
  for (const uint64_t endpoint : *owing) {
    if (!IsUnknown(endpoint)) continue;
    if (gone_.count(endpoint) > 0) {
      desk->gone.insert(endpoint);
    } else {
      unknown_.insert(endpoint);
    }
  }
  SweepGone(*desk);
  ReadCatalogForUnknown();
}

bool RetryScheduler::IsUnknown(uint64_t endpoint) const {
  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  return table_.Find(endpoint, &tenant, &entry) == EndpointStanding::kUnknown;
}

void RetryScheduler::LookForUnknown(uint64_t endpoint) {
  const std::deque<int> partitions = due_.at(endpoint).partitions;
  for (const int partition : partitions)
    ForgetDue(endpoint, partition);  // The next poll comes back.
  unknown_.insert(endpoint);
  ReadCatalogForUnknown();
}

void RetryScheduler::ReadCatalogForUnknown() {
  const MonoTime now = loop_.clock().Now();
  if (unknown_.empty() || reading_catalog_ || now < next_catalog_) return;
  reading_catalog_ = true;
  next_catalog_ = now + kCatalogAgain;
  // Only those that were missed before the reading began: it may not know of later ones.
  catalogs_.Load([this, missed = std::exchange(unknown_, {}), before = table_.catalog()->version(),
                  watch = scope_.watch()](const Result<CatalogPtr>& catalog) {
    if (!watch.gone()) OnCatalogRead(missed, before, catalog);
  });
}

void RetryScheduler::OnCatalogRead(const std::set<uint64_t>& missed, uint64_t version_before,
                                   const Result<CatalogPtr>& catalog) {
  reading_catalog_ = false;
  // A catalog that is older than ours has lost something; nothing is dropped on its word.
  if (!catalog.ok() || (*catalog)->version() < version_before || (*catalog)->version() == 0) return;
  bool found_gone = false;
  for (const uint64_t endpoint : missed) {
    if ((*catalog)->FindEndpoint(endpoint)) continue;
    found_gone |= gone_.insert(endpoint).second;
    log_.Warning("endpoint_gone", "the backlog of an endpoint that left the catalog is dropped",
                 {{"endpoint", endpoint}});
  }
  if (!found_gone) return;
  for (auto& [partition, desk] : desks_) LookForOwing(desk);
}

void RetryScheduler::SweepGone(Desk& desk) {
  // It may have come back since it was put on the list.
  std::erase_if(desk.gone, [this](uint64_t endpoint) {
    return gone_.count(endpoint) == 0 || !IsUnknown(endpoint);
  });
  if (desk.sweeping || desk.gone.empty() || desk.tenure->returning || !redis_.up()) return;
  desk.sweeping = true;
  ++desk.takes_open;
  const uint64_t endpoint = *desk.gone.begin();
  const ScriptCall call =
      Purge(desk.tenure->keys, desk.tenure->owner, endpoint, std::string(kTenantOfEvents),
            PurgeScope::kDeadLettersAndRetries, kGoneBatch);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure = desk.tenure, endpoint](const Result<RedisValue>& reply) {
                OnSwept(tenure, endpoint, reply);
              });
}

void RetryScheduler::OnSwept(const TenurePtr& tenure, uint64_t endpoint,
                             const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  desk->sweeping = false;
  --desk->takes_open;
  const Result<PurgeReply> swept = reply.ok() ? ParsePurge(*reply) : reply.status();
  if (!swept.ok()) {
    // The next look at what owes begins again.
    desk->gone.clear();
    if (swept.status().code() == StatusCode::kConflict) events_.on_stale(tenure);
    return;
  }
  metrics_.purged.Increment(swept->dropped.size());
  if (!swept->more) desk->gone.erase(endpoint);
  SweepGone(*desk);
}

}  // namespace relay

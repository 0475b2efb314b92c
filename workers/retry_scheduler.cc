#include "workers/retry_scheduler.h"

#include <algorithm>
#include <utility>

#include "relay/redis_upkeep.h"

namespace relay {

namespace {

// How long a batch that is resolved at once (dead letters, drops) is leased.
constexpr Millis kAtOnceLease{30'000};

}  // namespace

RetryScheduler::RetryScheduler(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs,
                               const EndpointTable& table, StreamBook& streams,
                               Dispatcher& dispatcher, Settler& settler, AttemptLog& attempt_log,
                               Log& log, WorkerMetrics& metrics, Millis lease_margin, Events events)
    : loop_(loop),
      redis_(redis),
      catalogs_(catalogs),
      table_(table),
      streams_(streams),
      dispatcher_(dispatcher),
      settler_(settler),
      attempt_log_(attempt_log),
      log_(log),
      metrics_(metrics),
      lease_margin_(lease_margin),
      events_(std::move(events)),
      timer_(loop.NewTimer([this] { OnTick(); })) {}

void RetryScheduler::Add(const TenurePtr& tenure) {
  Desk& desk = desks_[tenure->partition];
  desk = Desk{};
  desk.tenure = tenure;
  desk.next_poll = loop_.clock().Now();
  LookAtHeld(desk);
  LookForOwing(desk);
  if (!timer_->armed()) timer_->Arm(Micros(0));
}

void RetryScheduler::Drop(const TenurePtr& tenure) {
  if (!DeskOf(tenure)) return;
  desks_.erase(tenure->partition);
  std::vector<uint64_t> rest_no_more;
  for (auto& [endpoint, partitions] : resting_) {
    std::erase(partitions, tenure->partition);
    if (partitions.empty()) rest_no_more.push_back(endpoint);
  }
  for (const uint64_t endpoint : rest_no_more) StopResting(endpoint);
  std::vector<uint64_t> endpoints;
  for (const auto& [endpoint, due] : due_) endpoints.push_back(endpoint);
  for (const uint64_t endpoint : endpoints) ForgetDue(endpoint, tenure->partition);
}

void RetryScheduler::OnCatalog() {
  gone_.clear();
  std::vector<uint64_t> left;
  for (const auto& [endpoint, partitions] : resting_) {
    if (IsUnknown(endpoint)) left.push_back(endpoint);
  }
  for (const uint64_t endpoint : left) StopResting(endpoint);
  next_catalog_ = {};  // What this one has no more is asked for at once.
  for (auto& [partition, desk] : desks_) {
    LookAtHeld(desk);
    LookForOwing(desk);
  }
}

void RetryScheduler::OnRetriesChanged(const TenurePtr& tenure, int64_t redis_now_ms) {
  redis_time_.Learn(redis_now_ms, loop_.clock().Now());
  if (Desk* desk = DeskOf(tenure)) {
    desk->next_poll = std::min(desk->next_poll, desk->polled_at + kPollMin);
  }
}

void RetryScheduler::OnSlotFree(uint64_t endpoint) {
  if (due_.count(endpoint) > 0) TakeNext(endpoint);
}

bool RetryScheduler::quiet(const TenurePtr& tenure) const {
  const auto found = desks_.find(tenure->partition);
  return found == desks_.end() || found->second.tenure != tenure || found->second.takes_open == 0;
}

void RetryScheduler::OnTick() {
  if (desks_.empty()) return;
  timer_->Arm(kPollMin);
  const MonoTime now = loop_.clock().Now();
  double late_seconds = 0;
  for (auto& [partition, desk] : desks_) {
    if (!desk.polling && now >= desk.next_poll) Poll(desk);
    if (now >= desk.next_held_look) {
      LookAtHeld(desk);
      LookForOwing(desk);
    }
    late_seconds = std::max(late_seconds, desk.late_seconds);
  }
  metrics_.retries_late.Set(late_seconds);
  ReadCatalogForUnknown();
  std::vector<uint64_t> waiting;
  for (const auto& [endpoint, due] : due_) {
    if (!due.under_way) waiting.push_back(endpoint);
  }
  for (const uint64_t endpoint : waiting) TakeNext(endpoint);
}

void RetryScheduler::Poll(Desk& desk) {
  if (!redis_.up() || desk.tenure->returning || desk.tenure->run_id != redis_.run_id()) return;
  desk.polling = true;
  desk.polled_at = loop_.clock().Now();
  desk.next_poll = desk.polled_at + kPollMax;
  redis_.Send(
      NextDue(desk.tenure->keys, desk.page), scope_,
      [this, tenure = desk.tenure](const Result<RedisValue>& reply) { OnDue(tenure, reply); });
}

void RetryScheduler::OnDue(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  desk->polling = false;
  if (!reply.ok()) return;
  const Result<std::vector<DueEndpoint>> next = ParseDue(*reply);
  if (!next.ok()) {
    log_.Warning("retry_index_unreadable", "the index of due retries cannot be read",
                 {{"partition", tenure->partition}, {"error", next.status().ToString()}});
    return;
  }
  const MonoTime now = loop_.clock().Now();
  // As long as Redis's time is not known everything may be due; the first taking tells it.
  const int64_t now_ms = redis_time_.known() ? redis_time_.NowMs(now) : INT64_MAX;
  desk->late_seconds = 0;
  std::vector<uint64_t> due_now;
  bool all_due = true;
  for (const DueEndpoint& endpoint : *next) {
    if (endpoint.due_ms > now_ms) {
      all_due = false;
      desk->next_poll = std::min(desk->next_poll, now + Millis(endpoint.due_ms - now_ms));
      break;
    }
    if (redis_time_.known()) {
      desk->late_seconds =
          std::max(desk->late_seconds, static_cast<double>(now_ms - endpoint.due_ms) / 1000.0);
    }
    std::deque<int>& partitions = due_[endpoint.endpoint].partitions;
    if (std::find(partitions.begin(), partitions.end(), tenure->partition) == partitions.end()) {
      partitions.push_back(tenure->partition);
    }
    due_now.push_back(endpoint.endpoint);
  }
  // Endpoints whose lanes are full stay at the front of the index; look behind them.
  const bool full = static_cast<int>(next->size()) >= desk->page;
  desk->page = full && all_due ? std::min(desk->page * 2, kDuePageMax) : kDuePage;
  for (const uint64_t endpoint : due_now) TakeNext(endpoint);
}

void RetryScheduler::TakeNext(uint64_t endpoint) {
  const auto found = due_.find(endpoint);
  if (found == due_.end() || found->second.under_way) return;
  const auto desk = desks_.find(found->second.partitions.front());
  const int partition = found->second.partitions.front();
  if (desk == desks_.end() || desk->second.tenure->returning) return ForgetDue(endpoint, partition);

  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  switch (table_.Find(endpoint, &tenant, &entry)) {
    case EndpointStanding::kPaused:
      return HoldAll(endpoint);
    case EndpointStanding::kUnknown:
      if (gone_.count(endpoint) == 0) return LookForUnknown(endpoint);
      return Take(endpoint, desk->second, kTakeMax, kAtOnceLease, {});
    case EndpointStanding::kDisabled:
      return Take(endpoint, desk->second, kTakeMax, kAtOnceLease, {});
    case EndpointStanding::kActive:
      break;
  }
  if (dispatcher_.IsOpen(endpoint)) return RestAll(*entry);
  std::vector<DeliveryNumber> slots = dispatcher_.Reserve(*entry, kTakeMax);
  if (slots.empty()) return dispatcher_.BeginBacklog(*entry);
  const int count = static_cast<int>(slots.size());
  Take(endpoint, desk->second, count, entry->timeout + lease_margin_, std::move(slots));
}

void RetryScheduler::Take(uint64_t endpoint, Desk& desk, int count, Millis lease,
                          std::vector<DeliveryNumber> slots) {
  due_.at(endpoint).under_way = true;
  ++desk.takes_open;
  const ScriptCall call = relay::Take(desk.tenure->keys, desk.tenure->owner, endpoint, count, lease,
                                      kTakeBytes, /*probe=*/false);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure = desk.tenure, endpoint, count,
               slots = std::move(slots)](const Result<RedisValue>& reply) mutable {
                OnTaken(tenure, endpoint, static_cast<size_t>(count), std::move(slots), reply);
              });
}

void RetryScheduler::OnTaken(const TenurePtr& tenure, uint64_t endpoint, size_t asked,
                             std::vector<DeliveryNumber> slots, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (desk) --desk->takes_open;
  const auto found = due_.find(endpoint);
  if (found != due_.end()) found->second.under_way = false;
  Result<TakeReply> taken = reply.ok() ? ParseTake(*reply) : Result<TakeReply>(reply.status());
  size_t got = 0;
  if (taken.ok() && !tenure->over) {
    got = taken->deliveries.size();
    OnRetriesChanged(tenure, taken->now_ms);
    for (TakenDelivery& delivery : taken->deliveries) {
      Handle(tenure, endpoint, std::move(delivery), slots);
    }
  } else if (!taken.ok() && taken.status().code() == StatusCode::kConflict) {
    events_.on_stale(tenure);
  } else if (!taken.ok() && taken.status().code() == StatusCode::kInternal) {
    log_.Error("take_refused", "due deliveries could not be taken",
               {{"partition", tenure->partition}, {"error", taken.status().ToString()}});
  }
  for (const DeliveryNumber slot : slots) dispatcher_.GiveBack(endpoint, slot);
  // Fewer than asked for: there are no more, and the next poll tells when the next one is due.
  if (got < asked) return ForgetDue(endpoint, tenure->partition);
  const auto again = due_.find(endpoint);
  if (again == due_.end()) return;
  std::deque<int>& partitions = again->second.partitions;
  std::rotate(partitions.begin(), partitions.begin() + 1, partitions.end());
  TakeNext(endpoint);
}

void RetryScheduler::Handle(const TenurePtr& tenure, uint64_t endpoint, TakenDelivery taken,
                            std::vector<DeliveryNumber>& slots) {
  if (!taken.event.ok()) {
    log_.Error("payload_missing", "a due delivery has no payload that can be read",
               {{"partition", tenure->partition},
                {"entry", taken.member.text()},
                {"endpoint", endpoint},
                {"error", taken.event.status().ToString()}});
    metrics_.payload_missing.Increment();
    const bool gone = taken.event.status().code() == StatusCode::kNotFound;
    const auto kind = gone ? Resolution::Kind::kDrop : Resolution::Kind::kDead;
    return ResolveAtOnce(tenure, endpoint, taken, kind, "");
  }
  const Tenant* tenant = nullptr;
  const Endpoint* entry = nullptr;
  const auto dead_of = [&](AttemptOutcome why) {
    attempt_log_.AddUnsent(*tenure, *taken.event, endpoint, why);
    ResolveAtOnce(tenure, endpoint, taken, Resolution::Kind::kDead,
                  EncodeAttempt(why, 0, Micros(0)));
  };
  const EndpointStanding standing = table_.Find(endpoint, &tenant, &entry);
  switch (standing) {
    case EndpointStanding::kUnknown:
      // Not confirmed: the catalog has changed since the taking; the next one asks.
      if (gone_.count(endpoint) == 0) {
        return ResolveAtOnce(tenure, endpoint, taken, Resolution::Kind::kPark, "");
      }
      metrics_.purged.Increment();
      return ResolveAtOnce(tenure, endpoint, taken, Resolution::Kind::kDrop, "");
    case EndpointStanding::kDisabled:
      return dead_of(AttemptOutcome::kEndpointDisabled);
    case EndpointStanding::kPaused:
    case EndpointStanding::kActive:
      break;
  }
  // Met again when an operator redrives what died of it.
  if (HasTooManyHops(*taken.event)) return dead_of(AttemptOutcome::kLoop);
  if (DeliveryWindowIsOver(*entry, WallTimeFromMicros(taken.event->accepted_us),
                           loop_.clock().WallNow())) {
    return dead_of(AttemptOutcome::kExpired);
  }
  // Without a slot: the endpoint was paused or disabled at the time of the taking, or still is.
  if (standing == EndpointStanding::kPaused || slots.empty() || tenure->returning) {
    return ResolveAtOnce(tenure, endpoint, taken, Resolution::Kind::kPark, "");
  }
  const DeliveryNumber slot = slots.back();
  slots.pop_back();
  const int attempts = taken.attempts;
  const int64_t token = taken.token;
  auto held = std::make_shared<const HeldEvent>(
      HeldEvent{tenure, std::move(taken.member), *std::move(taken.event), loop_.clock().Now()});
  StreamNotePtr stream = streams_.Read(held->event);
  dispatcher_.StartLeased(
      slot, {std::move(held), table_.catalog(), tenant, entry, attempts, std::move(stream)}, token);
}

void RetryScheduler::ResolveAtOnce(const TenurePtr& tenure, uint64_t endpoint,
                                   const TakenDelivery& taken, Resolution::Kind kind,
                                   std::string record) {
  Resolution resolution;
  resolution.member = taken.member;
  resolution.endpoint = endpoint;
  resolution.token = taken.token;
  resolution.kind = kind;
  resolution.record = std::move(record);
  resolution.tenant = taken.event.ok() ? taken.event->tenant : "-";
  resolution.body_bytes = taken.event.ok() ? static_cast<int64_t>(taken.event->body.size()) : 0;
  settler_.Resolve(tenure, std::move(resolution));
}

void RetryScheduler::ForgetDue(uint64_t endpoint, int partition) {
  const auto found = due_.find(endpoint);
  if (found == due_.end()) return;
  std::erase(found->second.partitions, partition);
  if (!found->second.partitions.empty() || found->second.under_way) return;
  due_.erase(found);
  dispatcher_.EndBacklog(endpoint);
}

RetryScheduler::Desk* RetryScheduler::DeskOf(const TenurePtr& tenure) {
  const auto found = desks_.find(tenure->partition);
  return found != desks_.end() && found->second.tenure == tenure ? &found->second : nullptr;
}

}  // namespace relay

#include "workers/fan_out.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {

FanOut::FanOut(EventLoop& loop, EndpointTable& table, Dispatcher& dispatcher, Settler& settler,
               PausedQuota& paused_quota, AttemptLog& attempt_log, WorkerMetrics& metrics,
               Limits limits, Events events)
    : loop_(loop),
      table_(table),
      dispatcher_(dispatcher),
      settler_(settler),
      paused_quota_(paused_quota),
      attempt_log_(attempt_log),
      metrics_(metrics),
      limits_(limits),
      events_(std::move(events)),
      split_timer_(loop.NewTimer([this] { OnSplitTime(); })) {}

uint64_t FanOut::Begin(const TenurePtr& tenure, const Member& member, const HeldEventPtr& held) {
  const uint64_t number = ++last_entry_;
  Entry& entry = entries_[number];
  entry.tenure = tenure;
  entry.held = held;
  entry.member = member;
  entry.settlement.member = member;
  if (held) {
    entry.settlement.tenant = held->event.tenant;
    entry.settlement.body_bytes = static_cast<int64_t>(held->event.body.size());
  }
  return number;
}

void FanOut::Take(const HeldEventPtr& held, const StreamNotePtr& stream) {
  const EndpointTable::Match match = table_.MatchEvent(held->event);
  const uint64_t number = Begin(held->tenure, held->member, held);
  // References into entries_ stay: a dispatcher decides nothing from inside Offer().
  Entry& entry = entries_.at(number);
  entry.stream = stream;
  if (match.owed.empty()) metrics_.unmatched.Increment();
  for (const EndpointTable::Owed& owed : match.owed) OweOne(number, entry, match, owed);
  if (entry.open == 0) return Settle(number, entry);
  split_queue_.emplace_back(held->read_at + limits_.split_after, number);
  ArmSplit();
}

void FanOut::OweOne(uint64_t number, Entry& entry, const EndpointTable::Match& match,
                    const EndpointTable::Owed& owed) {
  const Endpoint& endpoint = *owed.endpoint;
  const Event& event = entry.held->event;
  const auto dies_of = [&](AttemptOutcome why) {
    attempt_log_.AddUnsent(*entry.tenure, event, endpoint.number, why);
    Owe(entry, endpoint,
        {.kind = Decision::Kind::kDead, .record = EncodeAttempt(why, 0, Micros(0))}, 0);
  };
  if (owed.standing == EndpointStanding::kDisabled)
    return dies_of(AttemptOutcome::kEndpointDisabled);
  if (HasTooManyHops(event)) return dies_of(AttemptOutcome::kLoop);
  if (DeliveryWindowIsOver(endpoint, WallTimeFromMicros(event.accepted_us),
                           loop_.clock().WallNow())) {
    return dies_of(AttemptOutcome::kExpired);
  }
  if (owed.standing == EndpointStanding::kPaused && !paused_quota_.Admits(*match.tenant)) {
    return dies_of(AttemptOutcome::kHeldQuota);
  }
  DeliveryNumber delivery = 0;
  if (owed.standing == EndpointStanding::kActive) {
    delivery = dispatcher_.Offer(
        {entry.held, table_.catalog(), match.tenant, &endpoint, /*attempts_made=*/0, entry.stream},
        number);
    if (delivery == 0) metrics_.parked.Increment();
  }
  if (delivery == 0) return Owe(entry, endpoint, {.kind = Decision::Kind::kPark, .record = {}}, 0);
  entry.offered.push_back(delivery);
  ++entry.open;
}

void FanOut::Owe(Entry& entry, const Endpoint& endpoint, const Decision& decision, int attempts) {
  OwedDelivery owed;
  owed.endpoint = endpoint.number;
  owed.state = decision.kind == Decision::Kind::kDead ? OwedDelivery::State::kDead
                                                      : OwedDelivery::State::kPending;
  owed.delay = decision.delay;
  owed.attempts = std::min(attempts, kAttemptsPerScore - 1);
  owed.record = decision.record;
  entry.settlement.owed.push_back(std::move(owed));
}

void FanOut::TakeRepeat(const HeldEventPtr& held) {
  metrics_.repeats.Increment();
  const uint64_t number = Begin(held->tenure, held->member, held);
  Entry& entry = entries_.at(number);
  entry.settlement.kind = Settlement::Kind::kRepeat;
  Settle(number, entry);
}

void FanOut::TakeEmpty(const TenurePtr& tenure, const Member& member) {
  const uint64_t number = Begin(tenure, member, nullptr);
  Settle(number, entries_.at(number));
}

void FanOut::OnFirstDecided(uint64_t number, const Delivery& delivery, const Decision& decision) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  RELAY_CHECK(entry.open > 0 && !entry.sent);
  if (decision.kind == Decision::Kind::kAccepted) {
    ++entry.settlement.accepted;
  } else {
    const bool attempted = decision.kind != Decision::Kind::kPark;
    Owe(entry, *delivery.endpoint, decision, delivery.attempts_made + (attempted ? 1 : 0));
  }
  if (--entry.open == 0) Settle(number, entry);
}

void FanOut::Settle(uint64_t number, Entry& entry) {
  RELAY_CHECK(!entry.sent);
  entry.sent = true;
  events_.on_settling(entry.tenure);
  if (entry.settlement.tenant.empty()) entry.settlement.tenant = "-";
  if (entry.leases.empty()) {
    settler_.Settle(entry.tenure, std::move(entry.settlement), number);
  } else {
    settler_.Settle(entry.tenure, entry.settlement, number);  // OnSettled() needs what is owed.
  }
}

void FanOut::ArmSplit() {
  while (!split_queue_.empty()) {
    const auto found = entries_.find(split_queue_.front().second);
    if (found != entries_.end() && !found->second.sent) break;
    split_queue_.pop_front();
  }
  if (split_queue_.empty()) return split_timer_->Cancel();
  if (!split_timer_->armed()) {
    split_timer_->Arm(split_queue_.front().first - loop_.clock().Now());
  }
}

void FanOut::OnSplitTime() {
  const MonoTime now = loop_.clock().Now();
  while (!split_queue_.empty() && split_queue_.front().first <= now) {
    const uint64_t number = split_queue_.front().second;
    split_queue_.pop_front();
    const auto found = entries_.find(number);
    if (found != entries_.end() && !found->second.sent) Split(number, found->second);
  }
  ArmSplit();
}

void FanOut::Split(uint64_t number, Entry& entry) {
  // A request's time counts from its start and the lease from now, so that the lease outlasts it.
  for (const DeliveryNumber delivery : entry.offered) {
    const Endpoint* endpoint = dispatcher_.EndpointOf(delivery);
    if (!endpoint) continue;  // Decided.
    if (dispatcher_.WithdrawWaiting(delivery)) {
      metrics_.parked.Increment();
      Owe(entry, *endpoint, {.kind = Decision::Kind::kPark, .record = {}}, 0);
      continue;
    }
    dispatcher_.ReleaseFromEntry(delivery);
    entry.leases.emplace_back(entry.settlement.owed.size(), delivery);
    Owe(entry, *endpoint,
        {.kind = Decision::Kind::kPark,
         .delay = endpoint->timeout + limits_.lease_margin,
         .record = {}},
        0);
  }
  entry.open = 0;
  Settle(number, entry);
}

void FanOut::OnSettled(const Settler::Settled& settled) {
  const auto found = entries_.find(settled.tag);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  for (const auto& [place, delivery] : entry.leases) {
    if (place < settled.owed_from || place >= settled.owed_to) continue;
    const OwedDelivery& owed = entry.settlement.owed[place];
    const int64_t due_ms = settled.redis_now_ms + owed.delay.count();
    dispatcher_.SetLease(delivery, settled.won ? ScoreOf(due_ms, owed.attempts) : 0);
  }
  if (!settled.last) return;
  // A settlement that was lost half way leaves leases that no reply will name.
  for (const auto& [place, delivery] : entry.leases) {
    if (place >= settled.owed_to) dispatcher_.SetLease(delivery, 0);
  }
  const Entry done = std::move(entry);
  entries_.erase(found);
  events_.on_released(done.tenure, done.member);
}

void FanOut::Drop(const TenurePtr& tenure) {
  std::erase_if(entries_, [&tenure](const auto& item) { return item.second.tenure == tenure; });
}

int FanOut::count(const TenurePtr& tenure) const {
  return static_cast<int>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&tenure](const auto& item) { return item.second.tenure == tenure; }));
}

}  // namespace relay

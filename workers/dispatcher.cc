#include "workers/dispatcher.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"

namespace relay {

Dispatcher::Dispatcher(Parts parts, Limits limits, const std::string& boot_id, Events events)
    : loop_(parts.loop),
      attempts_(parts.attempts),
      settler_(parts.settler),
      attempt_log_(parts.attempt_log),
      streams_(parts.streams),
      rooms_(parts.rooms),
      random_(parts.random),
      metrics_(parts.metrics),
      limits_(limits),
      events_(std::move(events)),
      control_(parts.loop, parts.redis, parts.log, boot_id, ControlEvents()) {}

DeliveryNumber Dispatcher::Offer(Delivery delivery, uint64_t entry) {
  if (stopped_ || in_flight_ >= limits_.in_flight_max) return 0;
  const uint64_t endpoint = delivery.endpoint->number;
  EndpointLane& lane = LaneOf(*delivery.endpoint);
  if (control_.open(endpoint)) return 0;
  const DeliveryNumber number = ++last_number_;
  const Lane::Admission admission = lane.lane.Offer(number, loop_.clock().Now());
  control_.Look(endpoint);
  if (admission == Lane::Admission::kPark) return 0;
  Work& work = deliveries_[number];
  work.delivery = std::move(delivery);
  work.entry = entry;
  work.waiting = admission == Lane::Admission::kQueued;
  if (!work.waiting) {
    ++in_flight_;
    StartAttempt(number, work);
  }
  return number;
}

std::vector<DeliveryNumber> Dispatcher::Reserve(const Endpoint& endpoint, int wanted) {
  std::vector<DeliveryNumber> slots;
  EndpointLane& lane = LaneOf(endpoint);
  const MonoTime now = loop_.clock().Now();
  while (static_cast<int>(slots.size()) < wanted && in_flight_ < limits_.in_flight_max &&
         lane.lane.TakeForRetry(last_number_ + 1, now)) {
    ++in_flight_;
    slots.push_back(++last_number_);
  }
  control_.Look(endpoint.number);
  return slots;
}

void Dispatcher::StartLeased(DeliveryNumber slot, Delivery delivery, int64_t token) {
  Work& work = deliveries_[slot];
  work.delivery = std::move(delivery);
  work.token = token;
  work.token_known = true;
  StartAttempt(slot, work);
}

void Dispatcher::GiveBack(uint64_t endpoint, DeliveryNumber slot) {
  --in_flight_;
  EndpointLane& lane = lanes_.at(endpoint);
  lane.lane.GiveUp(slot);
  StartWaiting(lane);
  control_.Look(endpoint);
}

void Dispatcher::BeginBacklog(const Endpoint& endpoint) {
  LaneOf(endpoint).lane.SetBacklog(true);
  control_.Look(endpoint.number);
}

void Dispatcher::EndBacklog(uint64_t endpoint) {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) return;
  found->second.lane.SetBacklog(false);
  StartWaiting(found->second);
  control_.Look(endpoint);
}

void Dispatcher::StartAttempt(DeliveryNumber number, Work& work) {
  const Delivery& delivery = work.delivery;
  const HeldEventPtr& held = delivery.held;
  if (delivery.attempts_made == 0) {
    const auto lag = loop_.clock().WallNow() - WallTimeFromMicros(held->event.accepted_us);
    metrics_.first_attempt_lag.Observe(std::max(0.0, std::chrono::duration<double>(lag).count()));
  }
  AttemptRequest request;
  request.catalog = delivery.catalog;
  request.tenant = delivery.tenant;
  request.endpoint = delivery.endpoint;
  request.event = std::shared_ptr<const Event>(held, &held->event);
  request.entry_id = std::string(held->member.entry_id());
  request.attempts_made = delivery.attempts_made;
  request.stream_verdict = streams_.VerdictOf(*held->tenure, delivery.stream.get());
  request.room = rooms_.Find(*held->tenure, held->event);
  work.attempt = attempts_.Start(std::move(request), [this, number](AttemptResult result) {
    OnOutcome(number, std::move(result));
  });
}

void Dispatcher::OnOutcome(DeliveryNumber number, AttemptResult result) {
  const auto found = deliveries_.find(number);
  RELAY_CHECK(found != deliveries_.end());
  Work& work = found->second;
  work.attempt.reset();
  const Delivery& delivery = work.delivery;
  metrics_.CountAttempt(delivery.tenant->id, result.outcome);
  if (result.connection_reused) metrics_.connections_reused.Increment();
  if (DisablesEndpoint(result.outcome)) events_.on_gone(*delivery.endpoint);
  // Of a loop nothing was sent, and so nothing was learned.
  if (result.outcome != AttemptOutcome::kLoop) {
    control_.Report(delivery.endpoint->number, result.outcome == AttemptOutcome::kAccepted);
  }
  FreeSlot(delivery.endpoint->number, number);
  Decided(number, Decide(delivery, result));
}

Decision Dispatcher::Decide(const Delivery& delivery, AttemptResult& result) {
  AttemptFacts facts;
  facts.outcome = result.outcome;
  facts.retry_after = result.retry_after;
  facts.attempts_made = delivery.attempts_made + 1;
  facts.accepted = WallTimeFromMicros(delivery.held->event.accepted_us);
  facts.now = loop_.clock().WallNow();
  const AttemptSettlement settlement = DecideSettlement(*delivery.endpoint, facts, random_);
  Decision decision;
  if (!std::holds_alternative<Acknowledge>(settlement)) {
    decision.record = EncodeAttempt(result.outcome, result.status, result.latency);
    if (const RetryAfter* retry = std::get_if<RetryAfter>(&settlement)) {
      decision.kind = Decision::Kind::kRetry;
      decision.delay = retry->delay;
    } else {
      decision.kind = Decision::Kind::kDead;
    }
  }
  LogAttempt(delivery, result, decision);
  return decision;
}

void Dispatcher::LogAttempt(const Delivery& delivery, AttemptResult& result,
                            const Decision& decision) {
  AttemptLogRecord record;
  record.event_id = delivery.held->event.id;
  record.endpoint = delivery.endpoint->number;
  // A loop is noticed before anything is sent.
  record.attempt = delivery.attempts_made + (result.outcome == AttemptOutcome::kLoop ? 0 : 1);
  record.at_ms = MillisSinceEpoch(loop_.clock().WallNow());
  record.outcome = result.outcome;
  record.status = result.status;
  record.times = result.times;
  record.connection_reused = result.connection_reused;
  if (decision.kind == Decision::Kind::kRetry) {
    record.fate = AttemptFate::kRetry;
    record.due_ms = record.at_ms + decision.delay.count();
  } else if (decision.kind == Decision::Kind::kDead) {
    record.fate = AttemptFate::kDead;
  }
  record.why = std::move(result.why);
  record.answer = std::move(result.answer);
  record.answer_cut = result.answer_cut;
  attempt_log_.Add(*delivery.held->tenure, delivery.tenant->id, record);
}

void Dispatcher::FreeSlot(uint64_t endpoint, DeliveryNumber number) {
  --in_flight_;
  const auto found = lanes_.find(endpoint);
  RELAY_CHECK(found != lanes_.end());
  found->second.lane.OnFinished(number, loop_.clock().Now());
  StartWaiting(found->second);
  TellFree(endpoint, found->second);
  control_.Look(endpoint);
}

void Dispatcher::StartWaiting(EndpointLane& lane) {
  while (const std::optional<DeliveryNumber> next = lane.lane.TakeNext(loop_.clock().Now())) {
    const auto found = deliveries_.find(*next);
    RELAY_CHECK(found != deliveries_.end());
    found->second.waiting = false;
    ++in_flight_;
    StartAttempt(*next, found->second);
  }
}

void Dispatcher::TellFree(uint64_t endpoint, EndpointLane& lane) {
  // Only a backlog waits for slots; told after this turn, so that slots freed together are filled
  // by one taking.
  if (!lane.lane.backlog() || lane.tell_free || lane.lane.free_for_retries() == 0) return;
  lane.tell_free = true;
  loop_.Post([this, endpoint, watch = scope_.watch()] {
    if (watch.gone()) return;
    const auto found = lanes_.find(endpoint);
    if (found != lanes_.end()) found->second.tell_free = false;
    events_.on_slot_free(endpoint);
  });
}

void Dispatcher::Decided(DeliveryNumber number, Decision decision) {
  const auto found = deliveries_.find(number);
  Work& work = found->second;
  if (!work.delivery.held->tenure->over && work.entry == 0 && !work.token_known) {
    // Its lease is being written; SetLease() takes it from here.
    work.decided = true;
    work.decision = std::move(decision);
    return;
  }
  Work done = std::move(work);
  deliveries_.erase(found);
  if (done.delivery.held->tenure->over) return;
  if (done.entry != 0) {
    events_.on_first_decided(done.entry, done.delivery, decision);
  } else {
    ResolveLeased(done, decision);
  }
}

void Dispatcher::ResolveLeased(const Work& work, const Decision& decision) {
  // Without its lease a failure would be fenced anyway: the retry set has it again in time.
  if (work.token == 0 && decision.kind != Decision::Kind::kAccepted) return;
  const HeldEvent& held = *work.delivery.held;
  Resolution resolution;
  resolution.member = held.member;
  resolution.endpoint = work.delivery.endpoint->number;
  resolution.token = work.token;
  resolution.delay = decision.delay;
  resolution.record = decision.record;
  resolution.tenant = held.event.tenant;
  resolution.body_bytes = static_cast<int64_t>(held.event.body.size());
  switch (decision.kind) {
    case Decision::Kind::kAccepted:
      resolution.kind = Resolution::Kind::kOk;
      break;
    case Decision::Kind::kRetry:
      resolution.kind = Resolution::Kind::kFail;
      break;
    case Decision::Kind::kPark:
      resolution.kind = Resolution::Kind::kPark;
      break;
    case Decision::Kind::kDead:
      resolution.kind = Resolution::Kind::kDead;
      break;
  }
  settler_.Resolve(held.tenure, std::move(resolution));
}

const Endpoint* Dispatcher::EndpointOf(DeliveryNumber number) const {
  const auto found = deliveries_.find(number);
  return found == deliveries_.end() ? nullptr : found->second.delivery.endpoint;
}

bool Dispatcher::WithdrawWaiting(DeliveryNumber number) {
  const auto found = deliveries_.find(number);
  if (found == deliveries_.end() || !found->second.waiting) return false;
  RELAY_CHECK(LaneOf(*found->second.delivery.endpoint).lane.RemoveWaiting(number));
  deliveries_.erase(found);
  return true;
}

void Dispatcher::ReleaseFromEntry(DeliveryNumber number) {
  Work& work = deliveries_.at(number);
  work.entry = 0;
  work.token_known = false;
}

void Dispatcher::SetLease(DeliveryNumber number, int64_t token) {
  const auto found = deliveries_.find(number);
  if (found == deliveries_.end()) return;
  Work& work = found->second;
  work.token = token;
  work.token_known = true;
  if (!work.decided) return;
  const Work done = std::move(work);
  deliveries_.erase(found);
  if (!done.delivery.held->tenure->over) ResolveLeased(done, done.decision);
}

void Dispatcher::ParkWaiting(const TenurePtr& tenure) {
  std::vector<DeliveryNumber> waiting;
  for (const auto& [number, work] : deliveries_) {
    if (work.waiting && (!tenure || work.delivery.held->tenure == tenure))
      waiting.push_back(number);
  }
  for (const DeliveryNumber number : waiting) {
    Work& work = deliveries_.at(number);
    RELAY_CHECK(LaneOf(*work.delivery.endpoint).lane.RemoveWaiting(number));
    work.waiting = false;
    Decided(number, {.kind = Decision::Kind::kPark, .record = {}});
  }
}

void Dispatcher::ParkInFlight(const TenurePtr& tenure) {
  GiveUpInFlight([&tenure](const Work& work) { return work.delivery.held->tenure == tenure; });
}

void Dispatcher::GiveUpInFlight(const std::function<bool(const Work&)>& which) {
  std::vector<DeliveryNumber> running;
  for (const auto& [number, work] : deliveries_) {
    if (work.attempt && which(work)) running.push_back(number);
  }
  for (const DeliveryNumber number : running) {
    Work& work = deliveries_.at(number);
    work.attempt.reset();
    FreeSlot(work.delivery.endpoint->number, number);
    Decided(number, {.kind = Decision::Kind::kPark, .record = {}});
  }
}

void Dispatcher::Drop(const TenurePtr& tenure) {
  for (auto it = deliveries_.begin(); it != deliveries_.end();) {
    Work& work = it->second;
    const bool runs = work.attempt != nullptr;
    if (work.delivery.held->tenure != tenure || runs) {
      ++it;
      continue;
    }
    if (work.waiting) LaneOf(*work.delivery.endpoint).lane.RemoveWaiting(it->first);
    it = deliveries_.erase(it);
  }
}

void Dispatcher::StopStarting() {
  stopped_ = true;
  control_.Leave();
}

int Dispatcher::count(const TenurePtr& tenure) const {
  return static_cast<int>(std::count_if(
      deliveries_.begin(), deliveries_.end(),
      [&tenure](const auto& item) { return item.second.delivery.held->tenure == tenure; }));
}

}  // namespace relay

#include "workers/lane.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {
namespace {

// What a request takes until one has been seen to finish: a queue of ten a slot is then full.
constexpr Micros kServiceTimeAtFirst = Millis(50);
// The weight of the newest in the moving average is 1 / 8: a few dozen requests change its mind.
constexpr int kAverageOver = 8;

}  // namespace

Lane::Lane(LaneLimits limits) : limits_(limits), service_time_(kServiceTimeAtFirst) {
  RELAY_CHECK(limits_.in_flight_max >= 0);
}

Lane::Admission Lane::Offer(DeliveryNumber delivery, MonoTime now) {
  if (free_slots() > 0) {
    Begin(delivery, now, /*retry=*/false);
    return Admission::kStart;
  }
  const bool never = newcomers_max() == 0 && backlog_;
  if (never || waiting() >= limits_.waiting_max || EstimatedWait(now) > limits_.wait_max) {
    return Admission::kPark;
  }
  waiting_.push_back(delivery);
  return Admission::kQueued;
}

bool Lane::TakeForRetry(DeliveryNumber delivery, MonoTime now) {
  if (free_for_retries() == 0) return false;
  Begin(delivery, now, /*retry=*/true);
  return true;
}

void Lane::OnFinished(DeliveryNumber delivery, MonoTime now) {
  const Running over = TakeOut(delivery);
  service_time_ += (now - over.since - service_time_) / kAverageOver;
}

void Lane::GiveUp(DeliveryNumber delivery) {
  TakeOut(delivery);
}

Lane::Running Lane::TakeOut(DeliveryNumber delivery) {
  const auto place = std::find_if(running_.begin(), running_.end(),
                                  [&](const Running& r) { return r.delivery == delivery; });
  RELAY_CHECK(place != running_.end());
  const Running running = *place;
  running_.erase(place);
  if (running.retry) --retries_;
  return running;
}

std::optional<DeliveryNumber> Lane::TakeNext(MonoTime now) {
  if (waiting_.empty() || in_flight() >= limits_.in_flight_max) return std::nullopt;
  if (newcomers() >= newcomers_max() || !has_token()) return std::nullopt;
  const DeliveryNumber delivery = waiting_.front();
  waiting_.pop_front();
  Begin(delivery, now, /*retry=*/false);
  return delivery;
}

bool Lane::RemoveWaiting(DeliveryNumber delivery) {
  const auto place = std::find(waiting_.begin(), waiting_.end(), delivery);
  if (place == waiting_.end()) return false;
  waiting_.erase(place);
  return true;
}

std::vector<DeliveryNumber> Lane::TakeAllWaiting() {
  std::vector<DeliveryNumber> all(waiting_.begin(), waiting_.end());
  waiting_.clear();
  return all;
}

void Lane::SetInFlightMax(int in_flight_max) {
  RELAY_CHECK(in_flight_max >= 0);
  limits_.in_flight_max = in_flight_max;
}

void Lane::SetRate(double per_s, double backlog_per_s) {
  per_s_ = per_s;
  backlog_per_s_ = backlog_per_s;
}

// None of a single slot: what waits for it is parked when its event is split, and then stands in
// the backlog itself.
int Lane::newcomers_max() const {
  if (backlog_ && per_s_ > 0) return 0;
  return backlog_ ? limits_.in_flight_max / 2 : limits_.in_flight_max;
}

int Lane::free_slots() const {
  int free = std::min(limits_.in_flight_max - in_flight(), newcomers_max() - newcomers());
  if (per_s_ > 0) free = std::min(free, tokens_);
  return std::max(0, free - waiting());
}

int Lane::free_for_retries() const {
  const int kept = std::clamp(newcomers_max() - newcomers(), 0, waiting());
  int free = limits_.in_flight_max - in_flight() - kept;
  if (per_s_ > 0) free = std::min(free, tokens_);
  if (backlog_per_s_ > 0) free = std::min(free, backlog_tokens_);
  return std::max(0, free);
}

Micros Lane::EstimatedWait(MonoTime now) const {
  if (free_slots() > 0) return Micros(0);
  Micros service_time = service_time_;
  if (!running_.empty()) service_time = std::max(service_time, now - running_.front().since);
  const int slots = limits_.in_flight_max > 0 ? newcomers_max() : expected_;
  const Micros for_slot = service_time * (waiting() + 1) / std::max(1, slots);
  if (per_s_ == 0) return for_slot;
  const double tokens_short = std::max(0, waiting() + 1 - tokens_);
  return std::max(for_slot, Micros(static_cast<int64_t>(tokens_short * 1e6 / per_s_)));
}

void Lane::Begin(DeliveryNumber delivery, MonoTime now, bool retry) {
  running_.push_back({delivery, now, retry});
  if (per_s_ > 0) --tokens_;
  if (!retry) return;
  ++retries_;
  if (backlog_per_s_ > 0) --backlog_tokens_;
}

}  // namespace relay

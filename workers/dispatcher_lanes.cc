// The lanes of a dispatcher: made by the catalog's terms, filled by the word of all workers.

#include "workers/dispatcher.h"

namespace relay {

Dispatcher::EndpointLane& Dispatcher::LaneOf(const Endpoint& endpoint) {
  const LaneControl::Terms terms = {endpoint.in_flight_max, endpoint.rate, endpoint.breaker};
  const auto found = lanes_.find(endpoint.number);
  if (found != lanes_.end()) {
    if (found->second.terms != terms) {
      found->second.terms = terms;
      Expect(found->second);
      control_.Look(endpoint.number);
    }
    return found->second;
  }
  LaneLimits limits;
  limits.in_flight_max = control_.permits(endpoint.number);
  limits.wait_max = limits_.split_after / 4;
  EndpointLane& lane =
      lanes_.emplace(endpoint.number, EndpointLane{Lane(limits), terms}).first->second;
  Expect(lane);
  return lane;
}

void Dispatcher::OnCatalogOrWorkers(int live_workers) {
  live_workers_ = live_workers;
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    EndpointLane& lane = it->second;
    if (lane.lane.idle() && !lane.lane.backlog() && !control_.holds(it->first)) {
      it = lanes_.erase(it);
      continue;
    }
    Expect(lane);
    ++it;
  }
}

LaneControl::Events Dispatcher::ControlEvents() {
  return {.demand = [this](uint64_t endpoint) { return DemandOf(endpoint); },
          .on_permits = [this](uint64_t endpoint, int permits) { OnPermits(endpoint, permits); },
          .on_tokens = [this](uint64_t endpoint, int tokens,
                              int backlog) { OnTokens(endpoint, tokens, backlog); },
          .on_lapsed =
              [this](const std::unordered_set<uint64_t>& endpoints) {
                GiveUpInFlight([&endpoints](const Work& work) {
                  return endpoints.count(work.delivery.endpoint->number) > 0;
                });
              },
          .on_breaker = [this](uint64_t endpoint, bool open) { OnBreaker(endpoint, open); },
          .on_probe = [this](uint64_t endpoint) { events_.on_probe(endpoint); },
          .on_failing = [this](uint64_t endpoint, int64_t since_ms,
                               int64_t now_ms) { events_.on_failing(endpoint, since_ms, now_ms); }};
}

// What this worker can count on, should all have as much to do.
void Dispatcher::Expect(EndpointLane& lane) const {
  lane.lane.SetExpected((lane.terms.in_flight_max - 1) / live_workers_ + 1);
  lane.lane.SetRate(static_cast<double>(lane.terms.rate.per_s) / live_workers_,
                    static_cast<double>(lane.terms.rate.backlog_per_s) / live_workers_);
}

LaneControl::Demand Dispatcher::DemandOf(uint64_t endpoint) const {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) return {};
  const Lane& lane = found->second.lane;
  return {.terms = &found->second.terms,
          .in_flight = lane.in_flight(),
          .waiting = lane.waiting(),
          .backlog = lane.backlog(),
          .tokens = lane.tokens(),
          .backlog_tokens = lane.backlog_tokens()};
}

void Dispatcher::OnPermits(uint64_t endpoint, int permits) {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) return;
  found->second.lane.SetInFlightMax(permits);
  StartWaiting(found->second);
  TellFree(endpoint, found->second);
}

void Dispatcher::OnTokens(uint64_t endpoint, int tokens, int backlog_tokens) {
  const auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) return;
  found->second.lane.SetTokens(tokens);
  found->second.lane.SetBacklogTokens(backlog_tokens);
  StartWaiting(found->second);
  TellFree(endpoint, found->second);
}

void Dispatcher::OnBreaker(uint64_t endpoint, bool open) {
  const auto found = lanes_.find(endpoint);
  if (open && found != lanes_.end()) {
    for (const DeliveryNumber number : found->second.lane.TakeAllWaiting()) {
      deliveries_.at(number).waiting = false;
      Decided(number, {.kind = Decision::Kind::kPark, .record = {}});
    }
  }
  events_.on_breaker(endpoint, open);
}

}  // namespace relay

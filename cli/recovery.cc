#include "cli/recovery.h"

#include <algorithm>

#include "cli/account_window.h"

namespace relay {

namespace {

constexpr int64_t kSteadyWindows = 10;

std::optional<Micros> Since(int64_t end_us, int64_t at_us) {
  if (at_us == INT64_MAX) return std::nullopt;
  return Micros(at_us - end_us);
}

}  // namespace

// ---- Lag

void LagTimeline::Add(int64_t accepted_us, bool slow) {
  const int64_t window = WindowOf(accepted_us);
  if (last_ == windows_.end() || last_->first != window) {
    last_ = windows_.try_emplace(window).first;
  }
  ++last_->second.all;
  if (slow) ++last_->second.slow;
}

void LagTimeline::Settle() {
  int64_t next_bad = INT64_MAX;
  for (auto window = windows_.rbegin(); window != windows_.rend(); ++window) {
    if (!window->second.good()) {
      next_bad = window->first;
    } else if (next_bad - window->first >= kSteadyWindows) {
      good_since_.push_back(window->first);
    }
  }
  std::reverse(good_since_.begin(), good_since_.end());
}

std::optional<int64_t> LagTimeline::GoodSince(int64_t from_us) const {
  const int64_t window = WindowFrom(from_us);
  const auto found = std::lower_bound(good_since_.begin(), good_since_.end(), window);
  if (found == good_since_.end()) return std::nullopt;
  return *found * kWindowUs;
}

bool LagTimeline::AnyAfter(int64_t from_us) const {
  return windows_.lower_bound(WindowFrom(from_us)) != windows_.end();
}

// ---- Faults

void FaultTimeline::Add(const FaultLine& fault) {
  const auto later = std::upper_bound(
      faults_.begin(), faults_.end(), fault.until_us,
      [](int64_t until_us, const Fault& other) { return until_us < other.line.until_us; });
  const int64_t after_us = later == faults_.end() ? INT64_MAX : later->earliest_us;
  auto at = faults_.insert(later, Fault{fault, std::min(fault.at_us, after_us)});
  while (at != faults_.begin() && std::prev(at)->earliest_us > at->earliest_us) {
    std::prev(at)->earliest_us = at->earliest_us;
    --at;
  }
}

bool FaultTimeline::Near(int64_t at_us) const {
  const auto first = std::lower_bound(
      faults_.begin(), faults_.end(), at_us - aftermath_us_,
      [](const Fault& fault, int64_t limit_us) { return fault.line.until_us < limit_us; });
  return first != faults_.end() && first->earliest_us <= at_us;
}

std::optional<Micros> FaultTimeline::AgeInCut(int64_t acked_us) const {
  for (const Fault& fault : faults_) {
    const FaultLine& line = fault.line;
    if (line.may_lose_us > 0 && acked_us >= line.at_us - line.may_lose_us &&
        acked_us <= line.until_us) {
      return Micros(std::max<int64_t>(0, line.at_us - acked_us));
    }
  }
  return std::nullopt;
}

FaultTimeline::Fault* FaultTimeline::LastOver(int64_t at_us) {
  const auto next = std::upper_bound(
      faults_.begin(), faults_.end(), at_us,
      [](int64_t limit_us, const Fault& fault) { return limit_us < fault.line.until_us; });
  return next == faults_.begin() ? nullptr : &*std::prev(next);
}

void FaultTimeline::SawAccepted(int64_t at_us) {
  Fault* fault = LastOver(at_us);
  if (fault) fault->accepted_us = std::min(fault->accepted_us, at_us);
}

void FaultTimeline::SawDelivered(int64_t at_us) {
  Fault* fault = LastOver(at_us);
  if (fault) fault->delivered_us = std::min(fault->delivered_us, at_us);
}

std::vector<Recovery> FaultTimeline::Conclude(const LagTimeline& lags) const {
  std::vector<Recovery> recoveries(faults_.size());
  int64_t accepted_us = INT64_MAX;
  int64_t delivered_us = INT64_MAX;
  // What was first after a later fault is after the earlier ones, too.
  for (size_t i = faults_.size(); i-- > 0;) {
    const Fault& fault = faults_[i];
    const int64_t end_us = fault.line.until_us;
    accepted_us = std::min(accepted_us, fault.accepted_us);
    delivered_us = std::min(delivered_us, fault.delivered_us);
    recoveries[i].fault = fault.line;
    recoveries[i].first_accepted = Since(end_us, accepted_us);
    recoveries[i].first_delivered = Since(end_us, delivered_us);
    const std::optional<int64_t> good_us = lags.GoodSince(end_us);
    if (good_us) recoveries[i].recovered = Micros(*good_us - end_us);
    recoveries[i].seen_slow = !good_us && lags.AnyAfter(end_us);
  }
  return recoveries;
}

}  // namespace relay

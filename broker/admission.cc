#include "broker/admission.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {
namespace {

// Memory does not come free within a second; a provider that asks every second would only add load.
constexpr Seconds kMemoryRetryAfter{5};

// Full buckets of tenants that are gone are dropped when there are so many.
constexpr size_t kBucketsKept = 10000;

double SecondsBetween(MonoTime from, MonoTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

double MemoryShare(int64_t used_bytes, int64_t max_bytes) {
  return max_bytes > 0 ? static_cast<double>(used_bytes) / static_cast<double>(max_bytes) : 0;
}

Admission::Admission(const Clock& clock, Limits limits, Metrics& metrics)
    : clock_(clock),
      limits_(limits),
      in_flight_gauge_(metrics.GetGauge("relay_stores_in_flight",
                                        "Events sent to Redis and not confirmed yet")) {}

std::optional<Admission::Refusal> Admission::RefuseRequest(size_t body_bytes) const {
  if (memory_share_ >= limits_.refuse_at) return Refusal{503, "memory_full", kMemoryRetryAfter};
  if (in_flight_ >= limits_.in_flight_max) return Refusal{503, "in_flight", Seconds(1)};
  if (bytes_ + static_cast<int64_t>(body_bytes) > limits_.in_flight_bytes) {
    return Refusal{503, "in_flight_bytes", Seconds(1)};
  }
  return std::nullopt;
}

std::optional<Admission::Refusal> Admission::RefuseTenant(const Tenant& tenant) {
  if (shedding() && over_quota_.contains(tenant.id)) {
    return Refusal{429, "held_quota", kMemoryRetryAfter};
  }
  if (tenant.limits.accept_per_s > 0 && !TakeToken(tenant)) {
    return Refusal{429, "rate", Seconds(1)};
  }
  return std::nullopt;
}

bool Admission::TakeToken(const Tenant& tenant) {
  const double rate = static_cast<double>(tenant.limits.accept_per_s);
  const MonoTime now = clock_.Now();
  if (buckets_.size() > kBucketsKept) {
    // A bucket that was not touched for a second is as full as a new one.
    std::erase_if(buckets_,
                  [now](const auto& entry) { return now - entry.second.filled_at > Seconds(1); });
  }
  auto [at, is_new] = buckets_.try_emplace(tenant.id, Bucket{rate, now});
  Bucket& bucket = at->second;
  bucket.tokens = std::min(rate, bucket.tokens + SecondsBetween(bucket.filled_at, now) * rate);
  bucket.filled_at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void Admission::Begin(size_t bytes) {
  ++in_flight_;
  bytes_ += static_cast<int64_t>(bytes);
  in_flight_gauge_.Set(in_flight_);
}

void Admission::End(size_t bytes) {
  RELAY_CHECK(in_flight_ > 0 && bytes_ >= static_cast<int64_t>(bytes));
  --in_flight_;
  bytes_ -= static_cast<int64_t>(bytes);
  in_flight_gauge_.Set(in_flight_);
}

void Admission::SetMemoryShare(double share) {
  memory_share_ = share;
  // What was read while memory was short says nothing about the next time.
  if (!shedding()) over_quota_.clear();
}

}  // namespace relay

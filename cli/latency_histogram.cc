#include "cli/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "relay/check.h"

namespace relay {

namespace {

constexpr int kHalfBits = 7;  // 128 buckets for every doubling.
constexpr uint64_t kHalf = uint64_t{1} << kHalfBits;
constexpr int kValueBitsMax = 38;
constexpr uint64_t kValueMax = (uint64_t{1} << kValueBitsMax) - 1;
constexpr size_t kBuckets = (kValueBitsMax - kHalfBits + 1) * kHalf;

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets, 0) {}

// A value of at most kHalfBits + 1 bits is its own bucket. A longer one loses its lowest `shift`
// bits and keeps kHalfBits + 1, of which the first is always set.
size_t LatencyHistogram::BucketOf(uint64_t us) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(us)) - (kHalfBits + 1));
  return static_cast<size_t>(shift) * kHalf + (us >> shift);
}

uint64_t LatencyHistogram::UpperEnd(size_t bucket) {
  if (bucket < 2 * kHalf) return bucket;
  const size_t shift = bucket / kHalf - 1;
  const uint64_t kept = bucket - shift * kHalf;
  return ((kept + 1) << shift) - 1;
}

void LatencyHistogram::Record(Micros latency) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(latency.count(), 0));
  ++buckets_[BucketOf(std::min(us, kValueMax))];
  ++count_;
  max_ = std::max(max_, latency);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Micros LatencyHistogram::Percentile(double percent) const {
  RELAY_CHECK(percent > 0 && percent <= 100);
  if (count_ == 0) return Micros(0);
  const auto rank = static_cast<uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(Micros(static_cast<int64_t>(UpperEnd(i))), max_);
  }
  return max_;
}

}  // namespace relay

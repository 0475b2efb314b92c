#pragma once

#include <cstdint>
#include <vector>

#include "relay/clock.h"

namespace relay {

// Counts latencies in buckets whose width grows with the value, so that each percentile is right to
// within 0.8 % whatever its size, in a fixed 36 KB: up to 255 us one bucket each, and from there on
// 128 buckets for every doubling. Values over 2^38 us (three days) count as that.
class LatencyHistogram {
 public:
  LatencyHistogram();

  void Record(Micros latency);
  void Merge(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  Micros max() const { return max_; }
  // The smallest recorded bucket's upper end that `percent` of all values do not exceed; zero when
  // there are none. Requires: 0 < percent <= 100.
  Micros Percentile(double percent) const;

 private:
  static size_t BucketOf(uint64_t us);
  static uint64_t UpperEnd(size_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  Micros max_{0};
};

}  // namespace relay

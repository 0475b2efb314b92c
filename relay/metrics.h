#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <vector>

namespace relay {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

// The series of one process, kept by prometheus-cpp and shown in its text exposition format. A
// caller asks for a series once, keeps the reference, and moves it on the hot path; the references
// live as long as the Metrics. Label values are bounded by the caller: never an id from outside.
class Metrics {
 public:
  Counter& GetCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& GetGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // Buckets in seconds from 100 us to 60 s, or the given ones.
  Histogram& GetHistogram(const std::string& name, const std::string& help,
                          const Labels& labels = {}, const std::vector<double>& buckets = {});
  // The text for GET /metrics.
  std::string Text() const;

 private:
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
};

}  // namespace relay

#pragma once

#include <array>
#include <map>
#include <string>

#include "relay/attempt_record.h"
#include "relay/metrics.h"

namespace relay {

// The series of a worker, asked for once.
struct WorkerMetrics {
  explicit WorkerMetrics(Metrics& metrics);

  // One attempt made for `tenant`. The first kTenantsNamed tenants have series of their own, all
  // others share "other": their number must not grow with the catalog.
  void CountAttempt(const std::string& tenant, AttemptOutcome outcome);

  static constexpr size_t kTenantsNamed = 100;

  Histogram& first_attempt_lag;
  Counter& connections_reused;
  Counter& attempts_logged;
  Counter& attempts_not_logged;
  Counter& parked;
  Counter& repeats;
  Counter& unmatched;
  Counter& purged;
  Counter& breakers_opened;
  Counter& payload_missing;
  Counter& dead_letters_archived;
  Counter& dead_letters_dropped_by_age;
  Counter& dead_letters_dropped_by_bytes;
  Counter& archive_failures;
  Gauge& repeat_window;
  Gauge& undecodable;
  Gauge& entries_held;
  Gauge& bytes_held;
  Gauge& in_flight;
  Gauge& settle_backlog;
  Gauge& retries_late;
  Gauge& pending;
  Gauge& dead_letters;
  Gauge& dead_letters_over_age;
  Gauge& dead_letters_over_bytes;
  Gauge& partitions_owned;
  Gauge& catalog_version;

 private:
  Metrics& metrics_;
  std::array<Counter*, 16> attempts_{};  // By AttemptOutcome; null until the first.
  std::map<std::string, Counter*, std::less<>> tenants_;
  Counter* other_ = nullptr;
};

}  // namespace relay

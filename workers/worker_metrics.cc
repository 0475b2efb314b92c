#include "workers/worker_metrics.h"

namespace relay {
namespace {

Counter& DroppedBy(Metrics& metrics, const char* limit) {
  return metrics.GetCounter("relay_dead_letters_dropped_total",
                            "Dead letters dropped because they were beyond a limit of [dlq].",
                            {{"limit", limit}});
}

Gauge& OverLimit(Metrics& metrics, const char* limit) {
  return metrics.GetGauge("relay_dead_letters_over_limit",
                          "Dead letters beyond a limit of [dlq] that stand in the partitions owned "
                          "here; by bytes it is an estimate.",
                          {{"limit", limit}});
}

}  // namespace

WorkerMetrics::WorkerMetrics(Metrics& metrics)
    : first_attempt_lag(
          metrics.GetHistogram("relay_first_attempt_lag_seconds",
                               "From the acceptance of an event to its first attempt.")),
      connections_reused(metrics.GetCounter("relay_connections_reused_total",
                                            "Attempts that went over a kept connection.")),
      attempts_logged(metrics.GetCounter("relay_attempt_log_written_total",
                                         "Attempts that Redis took into the attempt log.")),
      attempts_not_logged(metrics.GetCounter(
          "relay_attempt_log_dropped_total",
          "Attempts that the attempt log lacks because Redis was away, slow or full.")),
      parked(metrics.GetCounter("relay_parked_total",
                                "Deliveries put into the retry set because their lane was full.")),
      repeats(
          metrics.GetCounter("relay_repeats_total",
                             "Events that were recognised as repeats and not delivered again.")),
      unmatched(metrics.GetCounter("relay_unmatched_total", "Events that no endpoint was owed.")),
      purged(metrics.GetCounter("relay_purged_total",
                                "Deliveries dropped because their endpoint left the catalog.")),
      breakers_opened(metrics.GetCounter("relay_breakers_opened_total",
                                         "Times that an endpoint's breaker was met open anew.")),
      payload_missing(metrics.GetCounter("relay_payload_missing_total",
                                         "Deliveries whose payload was gone; must stay 0.")),
      dead_letters_archived(metrics.GetCounter("relay_dead_letters_archived_total",
                                               "Dead letters written to the archive and synced.")),
      dead_letters_dropped_by_age(DroppedBy(metrics, "age")),
      dead_letters_dropped_by_bytes(DroppedBy(metrics, "bytes")),
      archive_failures(metrics.GetCounter(
          "relay_archive_failures_total",
          "Times that the archive could not be written, and so nothing was dropped.")),
      repeat_window(
          metrics.GetGauge("relay_repeat_window_seconds",
                           "For how long the repeats of the newest event are recognised.")),
      undecodable(metrics.GetGauge("relay_undecodable_entries",
                                   "Stream entries left pending because they cannot be decoded.")),
      entries_held(metrics.GetGauge("relay_entries_held", "Stream entries read and not settled.")),
      bytes_held(metrics.GetGauge("relay_bytes_held", "Bytes of the events that are held.")),
      in_flight(metrics.GetGauge("relay_in_flight", "Attempts under way.")),
      settle_backlog(metrics.GetGauge("relay_settle_backlog",
                                      "Decided entries and deliveries that wait for Redis.")),
      retries_late(metrics.GetGauge("relay_retries_due_late_seconds",
                                    "How late the most overdue retry is.")),
      pending(metrics.GetGauge("relay_pending",
                               "Deliveries that wait for a retry, in the partitions owned here.")),
      dead_letters(
          metrics.GetGauge("relay_dead_letters", "Dead letters in the partitions owned here.")),
      dead_letters_over_age(OverLimit(metrics, "age")),
      dead_letters_over_bytes(OverLimit(metrics, "bytes")),
      partitions_owned(metrics.GetGauge("relay_partitions_owned", "Partitions owned here.")),
      catalog_version(
          metrics.GetGauge("relay_catalog_version", "Version of the catalog in force.")),
      metrics_(metrics) {}

void WorkerMetrics::CountAttempt(const std::string& tenant, AttemptOutcome outcome) {
  Counter*& by_outcome = attempts_[static_cast<size_t>(outcome)];
  if (!by_outcome) {
    by_outcome = &metrics_.GetCounter("relay_attempts_total", "Attempts by what they came to.",
                                      {{"outcome", std::string(AttemptOutcomeName(outcome))}});
  }
  by_outcome->Increment();

  auto found = tenants_.find(tenant);
  if (found == tenants_.end() && tenants_.size() < kTenantsNamed) {
    found = tenants_
                .emplace(tenant, &metrics_.GetCounter("relay_tenant_attempts_total",
                                                      "Attempts by tenant.", {{"tenant", tenant}}))
                .first;
  }
  if (found != tenants_.end()) return found->second->Increment();
  if (!other_) {
    other_ = &metrics_.GetCounter("relay_tenant_attempts_total", "Attempts by tenant.",
                                  {{"tenant", "(other)"}});
  }
  other_->Increment();
}

}  // namespace relay

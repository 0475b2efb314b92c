#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "cli/account_lines.h"
#include "relay/clock.h"

namespace relay {

// How the relay came back after a fault, counted from the fault's end. Absent: it did not, or
// nothing was there to tell.
struct Recovery {
  FaultLine fault;
  std::optional<Micros> recovered;        // Deliveries had their usual speed again.
  std::optional<Micros> first_accepted;   // The first 2xx to the provider.
  std::optional<Micros> first_delivered;  // The first 2xx of an endpoint.
  bool seen_slow = false;  // Obligations arose after it, and their speed did not come back.
};

// How long obligations waited for their first receipt, by the 100 ms window of their acceptance. In
// a good window at most 1 % of them waited for a second or longer.
class LagTimeline {
 public:
  void Add(int64_t accepted_us, bool slow);
  // Ends the adding.
  void Settle();
  // The beginning of the first window at or after `from_us` that is good, as are all that follow
  // within a second: one window at low load may be good by chance.
  std::optional<int64_t> GoodSince(int64_t from_us) const;
  bool AnyAfter(int64_t from_us) const;

 private:
  struct Window {
    int64_t all = 0;
    int64_t slow = 0;
    bool good() const { return slow <= all / 100; }
  };
  std::map<int64_t, Window> windows_;
  std::map<int64_t, Window>::iterator last_ = windows_.end();
  std::vector<int64_t> good_since_;  // Windows that begin a good second.
};

// The faults of a run, and what happened after each.
class FaultTimeline {
 public:
  // What happens up to `aftermath` after a fault's end counts as near it.
  explicit FaultTimeline(Micros aftermath) : aftermath_us_(aftermath.count()) {}

  // All faults come before everything else.
  void Add(const FaultLine& fault);
  int64_t count() const { return static_cast<int64_t>(faults_.size()); }
  bool Near(int64_t at_us) const;
  // How long before a cut that may lose what was acknowledged so late this was acknowledged; absent
  // when no fault has that excuse for it.
  std::optional<Micros> AgeInCut(int64_t acked_us) const;

  void SawAccepted(int64_t at_us);
  void SawDelivered(int64_t at_us);
  // In the order of the faults' ends. `lags` must be settled. Called once, at the end.
  std::vector<Recovery> Conclude(const LagTimeline& lags) const;

 private:
  struct Fault {
    FaultLine line;
    int64_t earliest_us = 0;  // The earliest beginning of this and all that end later.
    // The earliest before the next fault's end.
    int64_t accepted_us = INT64_MAX;
    int64_t delivered_us = INT64_MAX;
  };
  // The last fault that was over by then; null for none.
  Fault* LastOver(int64_t at_us);

  const int64_t aftermath_us_;
  std::vector<Fault> faults_;  // In the order of their ends.
};

}  // namespace relay

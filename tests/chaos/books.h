#pragma once

#include <cstdint>
#include <string>

#include "tests/chaos/installation.h"

namespace relay {

// What `relayctl verify --json` said of a round.
class Account {
 public:
  explicit Account(std::string json) : json_(std::move(json)) {}
  // Whether a number has that name; one that cannot be told is null.
  bool Has(const std::string& name) const;
  // A number of it, 0 when it stands there not or is null.
  int64_t Number(const std::string& name) const;
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

// What a scenario's own faults allow.
struct BookRules {
  bool drained = true;          // The backlog must come to its end first.
  Millis stuck{20000};          // It counts as stuck when nothing moves for so long.
  bool early_retries = false;   // Where a clock was moved, they can come early by the receiver's.
  bool duplicates = true;       // Near a fault; without one they are never allowed.
  int64_t duplicates_max = -1;  // -1: as many as the faults made.
  int64_t dead_max = 0;         // Dead letters that the receivers' behaviour explains.
};

// In the midst of a round, and only while a defect is hunted: is anything wrong already that no
// waiting will put right? Then the round need not be played to its end. Requires: all faults so far
// are logged.
void GlanceAtBooks(Installation& relay);

// The end of a round, after the load has ended: waits until all work is done, asks fsck, and has
// the accountant hold the logs against each other. Expects that nothing was lost, invented or
// altered, and nothing repeated without a fault. Adds the sums to the scene's counts.
Account CloseBooks(Installation& relay, const BookRules& rules = {});

}  // namespace relay

#pragma once

#include <cstdint>
#include <vector>

#include "relay/clock.h"

namespace relay {

// For how long the repeats of an event are recognised, kept within a number of remembered event
// ids. Redis holds one key for each (about 200 bytes); without a bound, a provider that sends
// 40,000 events a second would fill it with 72 million keys in half an hour.
//
// Below half of the budget the source's window is given in full; above, it shrinks in proportion to
// what is left, down to kShortest. So the ids remembered exceed the budget by no more than what
// comes within kShortest. One RepeatWindow a partition that is owned; it starts from zero at each
// take-over, because nobody counts the keys of the owner before: for one window after a hand-over
// up to twice the budget may stand in Redis.
class RepeatWindow {
 public:
  static constexpr Millis kShortest{1000};

  // `budget`: event ids; at least 1.
  explicit RepeatWindow(int64_t budget);

  // The window for an event that is claimed now; counts the claim. `wanted` is the source's window.
  Millis Claim(Millis wanted, MonoTime now);
  // Ids that are remembered now, as far as this owner claimed them.
  int64_t live() const { return live_; }

 private:
  // Claims are counted by the slot of 16 s in which they end; 512 slots see 2 h 16 min ahead, and a
  // longer window counts as that.
  static constexpr int kSlots = 512;
  static constexpr Seconds kSlot{16};

  void Forget(int64_t slot);
  static int64_t SlotOf(MonoTime t) { return t.time_since_epoch() / Micros(kSlot); }

  const int64_t budget_;
  int64_t live_ = 0;
  int64_t oldest_ = -1;  // The slot up to which (not included) everything has ended.
  std::vector<int64_t> ends_;
};

}  // namespace relay

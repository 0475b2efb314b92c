#include "workers/repeat_window.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {

RepeatWindow::RepeatWindow(int64_t budget) : budget_(budget), ends_(kSlots, 0) {
  RELAY_CHECK(budget >= 1);
}

void RepeatWindow::Forget(int64_t slot) {
  if (oldest_ < 0) oldest_ = slot;
  // After a long silence every slot has ended; one round over the ring is enough.
  const int64_t rounds = std::min<int64_t>(slot - oldest_, kSlots);
  for (int64_t i = 0; i < rounds; ++i) {
    int64_t& ended = ends_[static_cast<size_t>((oldest_ + i) % kSlots)];
    live_ -= ended;
    ended = 0;
  }
  oldest_ = std::max(oldest_, slot);
}

Millis RepeatWindow::Claim(Millis wanted, MonoTime now) {
  Forget(SlotOf(now));
  Millis window = std::max(wanted, kShortest);
  const int64_t left = budget_ - live_;
  if (live_ * 2 > budget_) {
    const double part =
        std::max(0.0, 2.0 * static_cast<double>(left) / static_cast<double>(budget_));
    const auto shrunk = static_cast<int64_t>(static_cast<double>(window.count()) * part);
    window = std::max(kShortest, Millis(shrunk));
  }
  const int64_t end = std::min(SlotOf(now + window), oldest_ + kSlots - 1);
  ++ends_[static_cast<size_t>(end % kSlots)];
  ++live_;
  return window;
}

}  // namespace relay

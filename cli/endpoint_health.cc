#include "cli/endpoint_health.h"

#include <algorithm>

#include "cli/account_window.h"

namespace relay {

void EndpointHealth::Record(int64_t at_us, bool accepted) {
  const int64_t mark = WindowOf(at_us) * 2 + (accepted ? 0 : 1);
  if (last_[accepted ? 0 : 1] == mark) return;
  last_[accepted ? 0 : 1] = mark;
  marks_.push_back(mark);
}

void EndpointHealth::Settle(Micros silence_max) {
  silence_windows_ = silence_max.count() / kWindowUs;
  std::sort(marks_.begin(), marks_.end());
  for (const int64_t mark : marks_) {
    const int64_t number = mark / 2;
    if (windows_.empty() || windows_.back().number != number) windows_.push_back({number, number});
    if (mark % 2 != 0) windows_.back().well_until = -1;
  }
  for (size_t i = windows_.size(); i-- > 1;) {
    Window& before = windows_[i - 1];
    const Window& next = windows_[i];
    if (before.well_until < 0 || next.number - before.number > silence_windows_) continue;
    before.well_until = next.well_until < 0 ? next.number - 1 : next.well_until;
  }
}

bool EndpointHealth::WellThroughout(int64_t from_us, int64_t until_us) const {
  const int64_t from = WindowOf(from_us);
  const auto first =
      std::upper_bound(windows_.begin(), windows_.end(), from,
                       [](int64_t number, const Window& window) { return number < window.number; });
  return first != windows_.end() && first->number - from <= silence_windows_ &&
         first->well_until >= WindowOf(until_us);
}

}  // namespace relay

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "relay/clock.h"

namespace relay {

// When an endpoint was well, as far as the log of its sink tells: it answered 2xx to all that came,
// and something did come, again and again. Silence is no proof of health: nobody may have listened.
class EndpointHealth {
 public:
  void Record(int64_t at_us, bool accepted);
  // Ends the recording. The endpoint counts as unwell from its last line on when the next one comes
  // later than `silence_max` after it.
  void Settle(Micros silence_max);
  // Whether it was well at every moment after that of `from_us` up to `until_us`, in steps of
  // 100 ms. Requires: Settle() was called.
  bool WellThroughout(int64_t from_us, int64_t until_us) const;

 private:
  struct Window {
    int64_t number;
    int64_t well_until;  // The last window up to which it stayed well; -1 when unwell in this one.
  };
  // Number * 2, and 1 when something failed in it: at most two marks a window of an ordered log.
  std::vector<int64_t> marks_;
  std::array<int64_t, 2> last_ = {-1, -1};
  std::vector<Window> windows_;
  int64_t silence_windows_ = 0;
};

}  // namespace relay

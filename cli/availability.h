#pragma once

#include <cstdint>
#include <vector>

#include "relay/clock.h"

namespace relay {

// How available the relay was to its provider.
struct Availability {
  int64_t offered = 0;  // Requests; those answered 403 left out, because that was the right answer.
  int64_t accepted = 0;  // Requests answered 2xx.
  int64_t windows = 0;   // Of 100 ms each, in which something was on offer.
  int64_t windows_without_2xx = 0;
  Micros longest_gap{0};  // The longest time without a 2xx while something was on offer.

  // 2xx over offered; 1 when nothing was offered.
  double Share() const;
  // Windows with a 2xx over windows.
  double WindowShare() const;
};

// When callbacks were on offer: each from the moment it was meant to leave until it was
// acknowledged or its last answer came. A stretch of time belongs to the gap only while something
// is on offer, so that a provider that has nothing to say makes no gap.
class OfferTimeline {
 public:
  void Add(int64_t from_us, int64_t until_us, bool accepted);
  // Works out windows and gap. Called once, at the end.
  void Conclude(Availability* out);

 private:
  struct Offer {
    int64_t from_us;
    int64_t until_us;
  };
  // Time in which something is on offer without interruption.
  std::vector<Offer> Stretches();

  std::vector<Offer> offers_;
  std::vector<int64_t> accepted_us_;
  std::vector<int64_t> windows_with_2xx_;
};

}  // namespace relay

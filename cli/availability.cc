#include "cli/availability.h"

#include <algorithm>

#include "cli/account_window.h"

namespace relay {

namespace {

double ShareOf(int64_t part, int64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double Availability::Share() const {
  return ShareOf(accepted, offered);
}

double Availability::WindowShare() const {
  return ShareOf(windows - windows_without_2xx, windows);
}

void OfferTimeline::Add(int64_t from_us, int64_t until_us, bool accepted) {
  until_us = std::max(from_us, until_us);
  offers_.push_back({from_us, until_us});
  if (!accepted) return;
  accepted_us_.push_back(until_us);
  const auto add_window = [this](int64_t window) {
    if (windows_with_2xx_.empty() || windows_with_2xx_.back() != window) {
      windows_with_2xx_.push_back(window);
    }
  };
  // An answer that comes at once speaks for the window that its request left in as well, however
  // the border between two windows falls.
  if (until_us - from_us < kWindowUs) add_window(WindowOf(from_us));
  add_window(WindowOf(until_us));
}

std::vector<OfferTimeline::Offer> OfferTimeline::Stretches() {
  std::sort(offers_.begin(), offers_.end(),
            [](const Offer& a, const Offer& b) { return a.from_us < b.from_us; });
  std::vector<Offer> stretches;
  for (const Offer& offer : offers_) {
    if (stretches.empty() || offer.from_us > stretches.back().until_us) {
      stretches.push_back(offer);
    } else {
      stretches.back().until_us = std::max(stretches.back().until_us, offer.until_us);
    }
  }
  return stretches;
}

void OfferTimeline::Conclude(Availability* out) {
  std::sort(accepted_us_.begin(), accepted_us_.end());
  int64_t gap_us = 0;
  int64_t last_window = -1;  // The last one that has been counted.
  auto accepted = accepted_us_.begin();
  for (const Offer& stretch : Stretches()) {
    const int64_t first = std::max(WindowOf(stretch.from_us), last_window + 1);
    last_window = std::max(last_window, WindowOf(stretch.until_us));
    out->windows += last_window + 1 - first;
    int64_t since_us = stretch.from_us;
    for (; accepted != accepted_us_.end() && *accepted <= stretch.until_us; ++accepted) {
      gap_us = std::max(gap_us, *accepted - since_us);
      since_us = *accepted;
    }
    gap_us = std::max(gap_us, stretch.until_us - since_us);
  }
  out->longest_gap = Micros(gap_us);
  std::sort(windows_with_2xx_.begin(), windows_with_2xx_.end());
  const auto end = std::unique(windows_with_2xx_.begin(), windows_with_2xx_.end());
  out->windows_without_2xx = out->windows - (end - windows_with_2xx_.begin());
}

}  // namespace relay

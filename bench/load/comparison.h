#pragma once

#include <string>

#include "bench/load/report.h"

namespace relay {

struct Comparison {
  bool held = true;  // Nothing has become slower than it may.
  std::string text;  // A table, a line for each ratio.
};

// The rates of the relay that a change is held to, each as a ratio to its yardstick of the same
// round: machines differ and are noisy, ratios much less so. In the form of Results::Lines(), with
// which they make a file that HoldAgainst() reads; in thousandths.
std::string RatioLines(const Results& results);
// Holds them against those in such a file. A ratio may fall to 0.95 of what it was.
Comparison HoldAgainst(const Results& results, const std::string& path);

}  // namespace relay

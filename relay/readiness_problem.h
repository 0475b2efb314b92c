#pragma once

#include <string>
#include <vector>

namespace relay {

// One reason why a program must not take or deliver events for now.
struct ReadinessProblem {
  std::string word;      // Stable, for scripts and metrics: "maxmemory_policy".
  std::string sentence;  // What is so, and what could happen.
  std::string fix;       // The command or the line of conf that mends it; may be empty.

  bool operator==(const ReadinessProblem&) const = default;
};

// The sentence, and how to mend it: one line for GET /readyz and for relayctl.
inline std::string ToLine(const ReadinessProblem& problem) {
  return problem.fix.empty() ? problem.sentence : problem.sentence + " Fix: " + problem.fix;
}

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>

#include "tests/chaos/scene.h"

namespace relay {

// A closed loop of wrk: each connection sends its next callback when it has the answer to the last.
// All are signed, and none is like another.
struct WrkLoad {
  std::string url;
  int connections = 64;
  int body_bytes = 400;
  Seconds time{4};
};

struct WrkRun {
  int64_t answered = 0;
  int64_t failed = 0;  // Answered with something other than 2xx, cut off, or not in time.
  double per_s = 0;
};

// Abandons the scene when wrk cannot run. Puts what it finds among the scene's figures: per_s and
// the latency's percentiles, p50_us to p999_us and max_us.
WrkRun MeasureWithWrk(Scene& scene, const WrkLoad& load);
// The same without figures: for the time in which caches fill and connections grow.
WrkRun WarmUpWithWrk(Scene& scene, WrkLoad load);

}  // namespace relay

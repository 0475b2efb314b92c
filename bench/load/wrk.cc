#include "bench/load/wrk.h"

#include "bench/load/nginx.h"
#include "relay/tencent_signature.h"
#include "tests/chaos/books.h"

namespace relay {

namespace {

constexpr Seconds kWarmUp{1};
constexpr Seconds kBeyond{30};  // For what is on its way when the time is over.
constexpr int64_t kValidS = 600;

Account RunWrk(Scene& scene, const WrkLoad& load) {
  const std::string t = std::to_string(WallMicros() / 1'000'000 + kValidS);
  return Account(Run(scene,
                     {"wrk", "-t2", "-c" + std::to_string(load.connections),
                      "-d" + std::to_string(load.time.count()) + "s", "--timeout", "10s", "-s",
                      RELAY_YARDSTICKS "/callback.lua", load.url, "--",
                      std::to_string(load.body_bytes), t, TencentSignature().Sign("demo-key", t)},
                     load.time + kBeyond));
}

WrkRun RunOf(const Account& result) {
  WrkRun run;
  run.failed = result.Number("failed");
  run.answered = result.Number("requests") - run.failed;
  const auto micros = static_cast<double>(result.Number("duration_us"));
  if (micros > 0) run.per_s = static_cast<double>(run.answered) * 1e6 / micros;
  return run;
}

}  // namespace

WrkRun MeasureWithWrk(Scene& scene, const WrkLoad& load) {
  const Account result = RunWrk(scene, load);
  const WrkRun run = RunOf(result);
  scene.Worst("per_s", static_cast<int64_t>(run.per_s));
  for (const char* name : {"p50_us", "p75_us", "p90_us", "p99_us", "p999_us", "max_us"}) {
    scene.Worst(name, result.Number(name));
  }
  return run;
}

WrkRun WarmUpWithWrk(Scene& scene, WrkLoad load) {
  load.time = kWarmUp;
  return RunOf(RunWrk(scene, load));
}

}  // namespace relay

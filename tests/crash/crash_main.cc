// The crash harness as a program: random runs in all modes until the time is over. Exit code 1 when
// anything was lost or a book was wrong; the line that says so names the seed.

#include <cinttypes>
#include <cstdio>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "relay/clock.h"
#include "tests/crash/world.h"

namespace relay {
namespace {

struct Sums {
  int runs = 0, kills = 0;
  int64_t accepted = 0, deliveries = 0, duplicates = 0, stale = 0, injected = 0, take_overs = 0;

  void Add(const CrashReport& report) {
    ++runs;
    kills += report.kills;
    accepted += report.accepted;
    deliveries += report.deliveries;
    duplicates += report.duplicates;
    stale += report.stale;
    injected += report.injected;
    take_overs += report.take_overs;
  }
};

int Main(int argc, char** argv) {
  uint64_t seed = 0;
  int seconds = 60;
  CrashPlan plan;
  CLI::App app("Kills Redis under a random broker and workers, and counts what was lost");
  app.add_option("--seed", seed, "First seed; drawn when absent");
  app.add_option("--seconds", seconds, "No new run is begun after so long")->capture_default_str();
  app.add_option("--kills", plan.kills, "Kills a run")->capture_default_str();
  app.add_option("--steps", plan.steps, "Steps between two kills")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (seed == 0) seed = Random::FromSystem().Next() % 1'000'000'000;

  const SystemClock clock;
  const MonoTime end = clock.Now() + Seconds(seconds);
  Sums sums;
  for (int run = 0; clock.Now() < end; ++run) {
    plan.seed = seed + run / 8;
    plan.always = run % 2 == 0;
    plan.cut_tail = run / 2 % 2 == 1;
    plan.fail_share = run / 4 % 2 == 1 ? 0.15 : 0;
    const CrashReport report = CrashWorld(plan).Run();
    sums.Add(report);
    if (report.breaches.empty()) continue;
    std::printf("seed %" PRIu64 ", %s, after %d kills:\n", plan.seed, NameOf(plan).c_str(),
                report.kills);
    for (const std::string& breach : report.breaches) std::printf("  %s\n", breach.c_str());
    return 1;
  }
  std::printf("seed %" PRIu64 ": %d runs, %d kills, %" PRId64 " events accepted, %" PRId64
              " deliveries (%" PRId64 " repeated), 0 lost, %" PRId64
              " stale calls refused, %" PRId64 " scripts failed half way, %" PRId64 " take-overs\n",
              seed, sums.runs, sums.kills, sums.accepted, sums.deliveries, sums.duplicates,
              sums.stale, sums.injected, sums.take_overs);
  return 0;
}

}  // namespace
}  // namespace relay

int main(int argc, char** argv) {
  return relay::Main(argc, argv);
}

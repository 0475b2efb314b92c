// The nemesis: plays scenarios against the real programs and counts what became of every event.
// Exit code 0 when every promise was kept, 1 on a breach, 2 on usage, 130 when it was interrupted.

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "relay/exit_code.h"
#include "tests/chaos/defect_hunt.h"
#include "tests/chaos/report.h"
#include "tests/chaos/runner.h"

namespace relay {
namespace {

struct Arguments {
  uint64_t seed = 0;
  bool long_size = false;
  bool list = false;
  bool defects = false;
  int jobs = 3;
  int rounds = 0;
  int only_round = -1;
  int defect = 0;
  std::string state;
  std::vector<std::string> scenarios;
};

void AddOptions(CLI::App& app, Arguments* arguments) {
  app.add_option("--seed", arguments->seed, "Play these choices again; drawn when absent");
  app.add_flag("--long", arguments->long_size, "The sizes of the published figures: hours");
  app.add_option("--rounds", arguments->rounds,
                 "Rounds of each scenario, instead of its own number")
      ->check(CLI::PositiveNumber);
  app.add_option("--round", arguments->only_round, "Only this round, from 0")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--jobs", arguments->jobs, "Rounds at a time; those that measure run alone")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option(
      "--state", arguments->state,
      "Keep results below this folder, by size and seed, and play no round again that went "
      "well there");
  app.add_flag("--defects", arguments->defects,
               "The test of the tests: each planted defect must be caught");
  app.add_option("--defect", arguments->defect,
                 "Play with this planted defect; with --defects, hunt this one alone");
  app.add_flag("--list", arguments->list, "Print the scenarios and end");
  app.add_option("scenario", arguments->scenarios, "Numbers or names; all when absent");
}

void PrintScenarios() {
  for (const Scenario& scenario : Scenarios()) {
    std::printf("%2d  %-16s %s\n", scenario.number, std::string(scenario.name).c_str(),
                std::string(scenario.claim).c_str());
  }
}

std::vector<Round> RoundsOf(const Arguments& arguments,
                            const std::vector<const Scenario*>& scenarios) {
  std::vector<Round> rounds;
  for (const Scenario* scenario : scenarios) {
    int count = arguments.long_size ? scenario->long_rounds : 1;
    if (arguments.rounds > 0) count = arguments.rounds;
    const int first = std::max(arguments.only_round, 0);
    if (arguments.only_round >= 0) count = first + 1;
    for (int round = first; round < count; ++round) {
      rounds.push_back(
          {scenario, round, SeedOf(arguments.seed, *scenario, round), arguments.defect});
    }
  }
  return rounds;
}

int Play(const Arguments& arguments, const std::vector<const Scenario*>& scenarios) {
  const SceneSize size = arguments.long_size ? SceneSize::kLong : SceneSize::kCi;
  Report report(size);
  std::string state = arguments.state;
  if (!state.empty()) {
    state += (arguments.long_size ? "/long-" : "/ci-") + std::to_string(arguments.seed);
  }
  Runner runner({state, size, arguments.jobs},
                [&report](const Round& round, const SceneResult& result, bool kept) {
                  report.Tell(round, result, kept);
                });
  const bool all = runner.Play(RoundsOf(arguments, scenarios));
  report.PrintTable();
  if (!all) return kExitInterrupted;
  return report.clean() ? kExitOk : kExitCheckFailed;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Hurts a relay of real programs in every way we know, and counts every event");
  AddOptions(app, &arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (arguments.list) {
    PrintScenarios();
    return kExitOk;
  }
  std::vector<const Scenario*> scenarios;
  for (const std::string& text : arguments.scenarios) {
    const std::vector<const Scenario*> found = FindScenarios(text);
    scenarios.insert(scenarios.end(), found.begin(), found.end());
    if (found.empty()) {
      std::fprintf(stderr, "chaos: no scenario '%s'; --list shows them\n", text.c_str());
      return kExitUsage;
    }
  }
  if (scenarios.empty()) {
    for (const Scenario& scenario : Scenarios()) scenarios.push_back(&scenario);
  }
  if (arguments.seed == 0) arguments.seed = Random::FromSystem().Next() % 1'000'000'000 + 1;
  const int code = arguments.defects ? HuntDefects(arguments.seed, arguments.jobs, arguments.defect)
                                     : Play(arguments, scenarios);
  std::printf("seed %" PRIu64 "\n", arguments.seed);
  return code;
}

}  // namespace
}  // namespace relay

int main(int argc, char** argv) {
  return relay::Main(argc, argv);
}

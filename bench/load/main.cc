// Measures the relay's programs beside yardsticks on this machine: everything in turn, several
// rounds, each run in processes of its own. Exit code 0 when all runs were good and, with
// --against, none is slower than it was; 1 otherwise, 2 on usage, 130 when it was interrupted.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "bench/load/comparison.h"
#include "bench/load/measurement.h"
#include "bench/load/report.h"
#include "relay/exit_code.h"
#include "tests/chaos/runner.h"

namespace relay {
namespace {

constexpr Seconds kMeasuredWithin{420};

struct Arguments {
  bool quick = false;
  int rounds = 0;
  std::vector<std::string> wanted;
  std::string state;
  std::string report;
  std::string lines;
  std::string against;
};

void AddOptions(CLI::App& app, Arguments* arguments) {
  app.add_flag("--quick", arguments->quick, "The few runs that a change is held to");
  app.add_option("--rounds", arguments->rounds, "Instead of each table's own number")
      ->check(CLI::PositiveNumber);
  app.add_option("--state", arguments->state,
                 "Keep results in this folder, and measure nothing again that is there");
  app.add_option("--report", arguments->report, "Write budgets and tables there (Markdown)");
  app.add_option("--lines", arguments->lines,
                 "Write one figure a line there, for plots and for --against");
  app.add_option("--against", arguments->against,
                 "The --lines of an earlier run: fail where a ratio has fallen below 0.95 of it")
      ->check(CLI::ExistingFile);
  app.add_option("wanted", arguments->wanted,
                 "Only these tables, or what of them begins so: ingest 'delivery/fan-out 3/relay'");
}

int RoundsOf(const std::string& table, const Arguments& arguments) {
  if (arguments.rounds > 0) return arguments.rounds;
  if (table == "memory" || table == "calls" || table == "backlog") return 1;
  if (arguments.quick || (table != "ingest" && table != "delivery")) return 3;
  return 5;
}

bool IsWanted(const Measurement& measurement, const std::vector<std::string>& wanted) {
  const std::string path =
      measurement.table + "/" + measurement.row + "/" + measurement.contender + "/";
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&path](const auto& begin) {
           return path.starts_with(begin);
         });
}

// A measurement as what the runner plays.
struct Player {
  Measurement measurement;
  std::string name;  // Of the file that keeps its result.
  Scenario scenario;
};

std::vector<std::unique_ptr<Player>> PlayersOf(const Arguments& arguments) {
  std::vector<std::unique_ptr<Player>> players;
  for (Measurement& measurement :
       Measurements(arguments.quick ? BenchSize::kQuick : BenchSize::kFull)) {
    if (!IsWanted(measurement, arguments.wanted)) continue;
    auto player = std::make_unique<Player>();
    player->name = measurement.table + "." + measurement.row + "." + measurement.contender;
    std::replace_if(
        player->name.begin(), player->name.end(), [](char c) { return c == ' ' || c == '/'; }, '_');
    player->measurement = std::move(measurement);
    player->scenario = {0,
                        player->name,
                        "",
                        player->measurement.run,
                        1,
                        /*alone=*/false,
                        kMeasuredWithin,
                        kMeasuredWithin};
    players.push_back(std::move(player));
  }
  return players;
}

// Round by round within a table: what is compared is measured one after the other.
std::vector<Round> Interleaved(const std::vector<std::unique_ptr<Player>>& players,
                               const Arguments& arguments) {
  std::vector<Round> rounds;
  for (auto from = players.begin(); from != players.end();) {
    const std::string& table = (*from)->measurement.table;
    const auto to = std::find_if(from, players.end(), [&table](const auto& player) {
      return player->measurement.table != table;
    });
    for (int round = 0; round < RoundsOf(table, arguments); ++round) {
      for (auto at = from; at != to; ++at) {
        const Scenario& scenario = (*at)->scenario;
        rounds.push_back({&scenario, round, static_cast<uint64_t>(round) + 1, /*defect=*/0});
      }
    }
    from = to;
  }
  return rounds;
}

void Tell(size_t done, size_t all, const Player& player, const Round& round,
          const SceneResult& result) {
  std::string said;
  for (const char* figure : {"per_s", "accepted_per_s", "sent_to_receipt_p99_us", "ack_p99_us",
                             "bytes_each", "owed_bytes_an_event", "parked"}) {
    const auto at = result.worst.find(figure);
    if (at != result.worst.end()) {
      said += std::string("  ") + figure + " " + std::to_string(at->second);
    }
  }
  for (const std::string& breach : result.breaches) said += "\n    FAILED: " + breach;
  std::printf("[%zu/%zu] %s · %s · %s · round %d%s\n", done, all, player.measurement.table.c_str(),
              player.measurement.row.c_str(), player.measurement.contender.c_str(),
              round.number + 1, said.c_str());
  std::fflush(stdout);
}

bool Write(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "load_bench: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

int Play(const Arguments& arguments) {
  const auto players = PlayersOf(arguments);
  if (players.empty()) {
    std::fprintf(stderr, "load_bench: nothing of that name\n");
    return kExitUsage;
  }
  const std::vector<Round> rounds = Interleaved(players, arguments);
  std::map<const Scenario*, const Player*> by_scenario;
  for (const auto& player : players) by_scenario[&player->scenario] = player.get();
  Results results;
  size_t done = 0;
  Runner runner({arguments.state, SceneSize::kCi, /*jobs=*/1},
                [&](const Round& round, const SceneResult& result, bool) {
                  const Player& player = *by_scenario.at(round.scenario);
                  results.Add(player.measurement, result);
                  Tell(++done, rounds.size(), player, round, result);
                });
  if (!runner.Play(rounds)) return kExitInterrupted;
  const std::string budgets = BudgetTable(results);
  std::printf("\n%s\n", budgets.c_str());
  bool good = results.clean();
  if (!arguments.against.empty()) {
    const Comparison comparison = HoldAgainst(results, arguments.against);
    std::printf("%s\n", comparison.text.c_str());
    good = good && comparison.held;
  }
  good = Write(arguments.report,
               "## Budgets\n\n" + budgets + "\n## All figures\n" + results.Tables()) &&
         Write(arguments.lines, results.Lines() + RatioLines(results)) && good;
  return good ? kExitOk : kExitCheckFailed;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures the relay beside yardsticks, and counts every event");
  AddOptions(app, &arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return Play(arguments);
}

}  // namespace
}  // namespace relay

int main(int argc, char** argv) {
  return relay::Main(argc, argv);
}

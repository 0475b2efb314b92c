#include "tests/chaos/report.h"

#include <cstdio>

#include "cli/progress.h"
#include "cli/table.h"

namespace relay {

namespace {

std::string SecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", seconds);
  return text;
}

// "20 kills · 15,000 acked · recover_ms_max 900".
std::string FiguresOf(const SceneResult& result) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : " · ") + part; };
  for (const auto& [name, value] : result.counts) {
    if (value != 0) add(WithThousands(value) + " " + name);
  }
  for (const auto& [name, value] : result.worst) add(name + " " + WithThousands(value));
  return text;
}

// "1 kills"; numbers have the same width, so that names sort as their numbers do.
std::string NameOf(const Scenario& scenario) {
  const std::string number = std::to_string(scenario.number);
  return std::string(number.size() < 2 ? " " : "") + number + " " + std::string(scenario.name);
}

}  // namespace

void Report::Tell(const Round& round, const SceneResult& result, bool kept) {
  std::string name = NameOf(*round.scenario);
  Sum& sum = sums_[name];
  ++sum.rounds;
  sum.result.Add(result);
  clean_ = clean_ && result.breaches.empty();
  if (size_ == SceneSize::kLong) name += " round " + std::to_string(round.number);
  std::printf("%-28s %-6s %8s  %s%s\n", name.c_str(), result.breaches.empty() ? "ok" : "BREACH",
              SecondsText(result.seconds).c_str(), FiguresOf(result).c_str(),
              kept ? " (from an earlier run)" : "");
  for (const std::string& breach : result.breaches) std::printf("    %s\n", breach.c_str());
  for (const std::string& remark : result.remarks) std::printf("    (%s)\n", remark.c_str());
  std::fflush(stdout);
}

void Report::PrintTable() const {
  Table table({"scenario", "rounds", "faults", "acked", "obligations", "lost", "phantom", "corrupt",
               "duplicates", "without fault", "took"});
  for (const auto& [name, sum] : sums_) {
    const auto count = [&sum = sum](const char* name) {
      const auto found = sum.result.counts.find(name);
      return WithThousands(found == sum.result.counts.end() ? 0 : found->second);
    };
    table.Row({name, std::to_string(sum.rounds), count("faults"), count("acked"),
               count("obligations"), count("loss"), count("phantom"), count("corrupt"),
               count("duplicates"), count("duplicates_without_fault"),
               SecondsText(sum.result.seconds)});
  }
  std::printf("\n%s", table.Text().c_str());
}

}  // namespace relay

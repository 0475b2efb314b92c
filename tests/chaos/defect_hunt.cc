#include "tests/chaos/defect_hunt.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/table.h"
#include "relay/exit_code.h"
#include "tests/chaos/defects/defect_table.h"
#include "tests/chaos/runner.h"

namespace relay {

namespace {

// A defect that shows only when a fault meets the right moment gets so many tries with its own
// scenario before the others are asked.
constexpr size_t kTriesOfExpected = 3;
constexpr size_t kBreachShown = 90;

struct Hunted {
  Hunted(const PlantedDefect* what, std::vector<const Scenario*> by)
      : defect(what), plan(std::move(by)) {}

  const PlantedDefect* defect;        // Null for a control: there is nothing to be caught.
  std::vector<const Scenario*> plan;  // The scenarios to be asked, in this order.
  size_t begun = 0;                   // Of the plan.
  int playing = 0;
  int ended = 0;
  double seconds = 0;
  const Scenario* caught_by = nullptr;
  int caught_in_try = 0;
  std::string breach;
};

// What stands before the details.
std::string Shortened(std::string text) {
  text = text.substr(0, text.find_first_of("\n{"));
  if (text.size() > kBreachShown) text = text.substr(0, kBreachShown) + "...";
  return text;
}

std::string NameOf(const Scenario& scenario) {
  return std::to_string(scenario.number) + " " + std::string(scenario.name);
}

// Variants of the expected scenario take turns; the others come once each.
std::vector<const Scenario*> PlanFor(const PlantedDefect& defect) {
  const std::vector<const Scenario*> expected =
      FindScenarios(std::to_string(defect.expected_scenario));
  std::vector<const Scenario*> plan;
  while (!expected.empty() && plan.size() < std::max(kTriesOfExpected, expected.size())) {
    plan.push_back(expected[plan.size() % expected.size()]);
  }
  for (const Scenario& scenario : Scenarios()) {
    if (scenario.number != defect.expected_scenario) plan.push_back(&scenario);
  }
  return plan;
}

// Rounds are those of the small size: the first of a scenario, with another seed for each try. They
// run side by side, also those that measure. Of the latter each is played once with the programs as
// they are: where that one fails, a catch would prove nothing.
class Hunt {
 public:
  Hunt(uint64_t seed, int only) : seed_(seed) {
    for (const PlantedDefect& defect : PlantedDefects()) {
      if (only == 0 || defect.number == only) hunted_.emplace_back(&defect, PlanFor(defect));
    }
    for (const Scenario& scenario : Scenarios()) {
      if (scenario.alone && IsExpected(scenario))
        hunted_.emplace_back(nullptr, std::vector<const Scenario*>{&scenario});
    }
  }

  // The next round of whoever has had the fewest.
  std::optional<Round> Next() {
    Hunted* chosen = nullptr;
    for (Hunted& one : hunted_) {
      if (MayBegin(one) && (!chosen || one.begun < chosen->begun)) chosen = &one;
    }
    if (!chosen) return std::nullopt;
    const Scenario* const scenario = chosen->plan[chosen->begun];
    const uint64_t seed = SeedOf(seed_ + chosen->begun, *scenario, 0);
    ++chosen->begun;
    ++chosen->playing;
    return Round{scenario, 0, seed, NumberOf(*chosen)};
  }

  void OnDone(const Round& round, const SceneResult& result) {
    Hunted& one = Of(round);
    --one.playing;
    ++one.ended;
    one.seconds += result.seconds;
    // Scenarios come to their end whatever is broken: one that did not was short of time.
    const bool caught = !result.breaches.empty() && result.breaches.front() != kOverdue;
    if (caught && !one.caught_by) {
      one.caught_by = round.scenario;
      one.caught_in_try = one.ended;
      one.breach = Shortened(result.breaches.front());
    }
    std::printf("defect %2d %-72s %s by %-16s %5.1f s\n", NumberOf(one), TextOf(one).c_str(),
                caught ? "caught  " : "not seen", NameOf(*round.scenario).c_str(), result.seconds);
    std::fflush(stdout);
  }

  // The exit code.
  int Conclude() const {
    Table table({"defect", "what is broken", "caught by", "try", "seconds", "by what it showed"});
    int wrong = 0;
    for (const Hunted& one : hunted_) {
      if ((one.caught_by != nullptr) != (one.defect != nullptr)) ++wrong;
      table.Row({std::to_string(NumberOf(one)), TextOf(one),
                 one.caught_by ? NameOf(*one.caught_by)
                 : one.defect  ? "NOBODY"
                               : "-",
                 std::to_string(one.caught_by ? one.caught_in_try : one.ended),
                 std::to_string(static_cast<int>(one.seconds + 0.5)), one.breach});
    }
    std::printf("\n%s\n%zu hunted, %d not as they should be\n", table.Text().c_str(),
                hunted_.size(), wrong);
    return wrong == 0 ? kExitOk : kExitCheckFailed;
  }

 private:
  bool IsExpected(const Scenario& scenario) const {
    return std::any_of(hunted_.begin(), hunted_.end(), [&scenario](const Hunted& one) {
      return one.defect && one.plan.front() == &scenario;
    });
  }
  static int NumberOf(const Hunted& one) { return one.defect ? one.defect->number : 0; }
  static std::string TextOf(const Hunted& one) {
    return one.defect ? std::string(one.defect->name)
                      : "nothing, under " + NameOf(*one.plan.front());
  }

  // One round at a time, as long as the next may be spared; whoever has escaped the expected
  // scenario is chased by as many as there is room for.
  static bool MayBegin(const Hunted& one) {
    return !one.caught_by && one.begun < one.plan.size() &&
           (one.playing == 0 || one.ended >= static_cast<int>(kTriesOfExpected));
  }

  Hunted& Of(const Round& round) {
    return *std::find_if(hunted_.begin(), hunted_.end(), [&round](const Hunted& one) {
      return one.defect ? one.defect->number == round.defect
                        : round.defect == 0 && one.plan.front() == round.scenario;
    });
  }

  const uint64_t seed_;
  std::vector<Hunted> hunted_;
};

}  // namespace

int HuntDefects(uint64_t seed, int jobs, int only) {
  Hunt hunt(seed, only);
  Runner runner({"", SceneSize::kCi, jobs}, [&hunt](const Round& round, const SceneResult& result,
                                                    bool) { hunt.OnDone(round, result); });
  if (!runner.Play([&hunt] { return hunt.Next(); })) return kExitInterrupted;
  return hunt.Conclude();
}

}  // namespace relay

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/scenario_table.h"

namespace relay {

// The breach of a round that was ended because it took too long.
inline constexpr char kOverdue[] = "it did not end in time";

// One round to be played.
struct Round {
  const Scenario* scenario = nullptr;
  int number = 0;  // From 0.
  uint64_t seed = 0;
  int defect = 0;
};
// The seed of a round follows from that of the run: whoever plays one round alone gets its choices.
uint64_t SeedOf(uint64_t run_seed, const Scenario& scenario, int round);

// Plays rounds, each in a child process with a folder of its own, several at a time. A round that
// ends badly, or does not end, leaves its folder behind. Results are kept in `state`, so that a run
// that was broken off goes on where it stopped: rounds that went well are not played again.
class Runner {
 public:
  struct Options {
    std::string state;  // Folder of the results; empty: nothing is kept.
    SceneSize size = SceneSize::kCi;
    int jobs = 1;
  };
  // Called in this process when a round has ended; `kept` where its result was there already.
  using OnDone = std::function<void(const Round&, const SceneResult&, bool kept)>;

  Runner(Options options, OnDone on_done);

  // Plays them all, in their order but for those that run alone, which come last. False when
  // Ctrl-C ended it.
  bool Play(const std::vector<Round>& rounds);
  // Plays what `next` gives, side by side whatever it is. Nothing given means nothing for now: it
  // is asked again when a round has ended, until none is left. False when Ctrl-C ended it.
  bool Play(const std::function<std::optional<Round>()>& next);

 private:
  struct Playing {
    Round round;
    std::string folder;
    MonoTime deadline;
  };

  bool Recall(const Round& round);
  void Begin(const Round& round);
  void AwaitOne();
  void Finish(pid_t pid, int wait_status);
  void EndOverdue();
  void Abort();
  std::string PathOf(const Round& round) const;

  const Options options_;
  const OnDone on_done_;
  const SystemClock clock_;
  std::map<pid_t, Playing> playing_;
};

}  // namespace relay

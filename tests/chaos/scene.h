#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/random.h"
#include "relay/status.h"

namespace relay {

// How large a round is: for a check of every change, or for the figures that are published.
enum class SceneSize { kCi, kLong };

// What one round of a scenario came to. Counts of several rounds are added up, of the worst values
// the largest counts.
struct SceneResult {
  std::vector<std::string> breaches;  // Empty: every promise was kept.
  std::vector<std::string> remarks;
  std::map<std::string, int64_t> counts;
  std::map<std::string, int64_t> worst;
  double seconds = 0;

  void Add(const SceneResult& round);
};
Status WriteSceneResult(const SceneResult& result, const std::string& path);
Result<SceneResult> ReadSceneResult(const std::string& path);

// What a scenario is played on: its choices, which all come from one seed, its folder, and the
// protocol of what it found. A round runs in a process of its own: whatever the scenario has
// started dies with that process.
class Scene {
 public:
  struct Setting {
    std::string folder;  // Exists; removed by whoever made it.
    uint64_t seed = 0;
    int round = 0;
    SceneSize size = SceneSize::kCi;
    int defect = 0;  // Of the planted ones; 0: the programs are as they are shipped.
  };

  explicit Scene(Setting setting);
  Scene(const Scene&) = delete;

  Random& random() { return random_; }
  const std::string& folder() const { return setting_.folder; }
  int round() const { return setting_.round; }
  int defect() const { return setting_.defect; }
  bool hunts() const { return setting_.defect > 0; }
  // The one or the other, by the size of this round.
  template <typename T>
  T Sized(T ci, T long_one) const {
    return setting_.size == SceneSize::kCi ? ci : long_one;
  }
  // Between the two, chosen by the seed.
  Millis Between(Millis least, Millis most);

  // A promise that must hold now. While a defect is hunted the first breach ends the round: it has
  // been caught.
  void Expect(bool holds, const std::string& breach);
  // The round cannot go on: a breach, too. Ends this process and all it has started.
  [[noreturn]] void Abandon(const std::string& why);
  void Require(const Status& status, const std::string& what);

  void Count(const std::string& name, int64_t number) { result_.counts[name] += number; }
  void Worst(const std::string& name, int64_t value);
  // Something the reader of the report should know, e.g. that a right was missing.
  void Remark(const std::string& text) { result_.remarks.push_back(text); }

  // A fault, for whoever judges what followed it. Requires: `from_us` is not after now.
  void LogFault(const std::string& kind, const std::string& target, int64_t from_us,
                int64_t until_us, int64_t may_lose_us = 0);
  // The same for a fault that is a moment, this one.
  void LogFault(const std::string& kind, const std::string& target);
  std::string fault_log() const { return setting_.folder + "/faults.jsonl"; }
  std::string result_path() const { return setting_.folder + "/result.json"; }

  // Writes the result where the parent process looks for it.
  void Conclude();

 private:
  [[noreturn]] void End();

  const Setting setting_;
  Random random_;
  SceneResult result_;
  SystemClock clock_;
  MonoTime begun_;
};

int64_t WallMicros();
// Lets time pass for the rest of the world: for the gaps between faults, which are no
// synchronisation.
void Pass(Millis time);

}  // namespace relay

#include "tests/chaos/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

constexpr int kLookEveryMs = 20;

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) {
  interrupted = 1;
}

std::string MakeFolder() {
  // Short: a unix socket's path has room for 107 bytes.
  std::string name = "/tmp/relay-chaos-XXXXXX";
  RELAY_CHECK(mkdtemp(name.data()));
  return name;
}

// The child's part: plays the round, writes its result, ends.
[[noreturn]] void PlayInChild(const Round& round, const std::string& folder, SceneSize size) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Ctrl-C is for the parent: it ends the children itself.
  setpgid(0, 0);
  const int out = open((folder + "/scene.out").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  setenv("TMPDIR", folder.c_str(), 1);
  {
    Scene scene({folder, round.seed, round.number, size, round.defect});
    round.scenario->run(scene);
    scene.Conclude();
  }
  _exit(0);
}

SceneResult ResultOf(const std::string& folder, int wait_status, bool overdue) {
  Result<SceneResult> read = ReadSceneResult(folder + "/result.json");
  if (read.ok() && !overdue) return *std::move(read);
  SceneResult result = read.ok() ? *std::move(read) : SceneResult();
  if (overdue) {
    result.breaches.emplace_back(kOverdue);
  } else if (WIFSIGNALED(wait_status)) {
    result.breaches.push_back("it died of signal " + std::to_string(WTERMSIG(wait_status)));
  } else {
    result.breaches.emplace_back("it left no result");
  }
  return result;
}

}  // namespace

uint64_t SeedOf(uint64_t run_seed, const Scenario& scenario, int round) {
  // Far apart for each scenario and round; the odd factors are those of splitmix64.
  const auto place =
      static_cast<uint64_t>(scenario.number) * 1'000'003 + static_cast<uint64_t>(round);
  return Random(run_seed + place * 0x9e3779b97f4a7c15ULL).Next();
}

Runner::Runner(Options options, OnDone on_done)
    : options_(std::move(options)), on_done_(std::move(on_done)) {
  if (!options_.state.empty()) std::filesystem::create_directories(options_.state);
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Runner::Play(const std::vector<Round>& rounds) {
  std::vector<Round> order = rounds;
  std::stable_partition(order.begin(), order.end(),
                        [](const Round& round) { return !round.scenario->alone; });
  for (const Round& round : order) {
    if (Recall(round)) continue;
    const size_t room = round.scenario->alone ? 1 : static_cast<size_t>(options_.jobs);
    while (playing_.size() >= room && !interrupted) AwaitOne();
    if (interrupted) break;
    Begin(round);
  }
  while (!playing_.empty() && !interrupted) AwaitOne();
  Abort();
  return !interrupted;
}

bool Runner::Play(const std::function<std::optional<Round>()>& next) {
  while (!interrupted) {
    const bool room = playing_.size() < static_cast<size_t>(options_.jobs);
    const std::optional<Round> round = room ? next() : std::nullopt;
    if (round) {
      Begin(*round);
    } else if (playing_.empty()) {
      break;
    } else {
      AwaitOne();
    }
  }
  Abort();
  return !interrupted;
}

void Runner::Abort() {
  for (const auto& [pid, playing] : playing_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    std::filesystem::remove_all(playing.folder);
  }
  playing_.clear();
}

std::string Runner::PathOf(const Round& round) const {
  return options_.state + "/" + std::string(round.scenario->name) + "-" +
         std::to_string(round.number) + ".json";
}

bool Runner::Recall(const Round& round) {
  if (options_.state.empty() || round.defect > 0) return false;
  const Result<SceneResult> kept = ReadSceneResult(PathOf(round));
  if (!kept.ok() || !kept->breaches.empty()) return false;
  on_done_(round, *kept, true);
  return true;
}

void Runner::Begin(const Round& round) {
  const std::string folder = MakeFolder();
  const pid_t pid = fork();
  RELAY_CHECK(pid >= 0);
  if (pid == 0) PlayInChild(round, folder, options_.size);
  const Seconds patience =
      options_.size == SceneSize::kCi ? round.scenario->ci_patience : round.scenario->long_patience;
  playing_[pid] = Playing{round, folder, clock_.Now() + patience};
}

void Runner::AwaitOne() {
  const size_t before = playing_.size();
  while (playing_.size() == before && !interrupted) {
    int wait_status = 0;
    const pid_t pid = waitpid(-1, &wait_status, WNOHANG);
    if (pid > 0) {
      Finish(pid, wait_status);
    } else {
      EndOverdue();
      poll(nullptr, 0, kLookEveryMs);
    }
  }
}

void Runner::EndOverdue() {
  for (auto& [pid, playing] : playing_) {
    if (clock_.Now() > playing.deadline) kill(pid, SIGKILL);
  }
}

void Runner::Finish(pid_t pid, int wait_status) {
  const auto found = playing_.find(pid);
  if (found == playing_.end()) return;
  const Playing playing = std::move(found->second);
  playing_.erase(found);
  // What its programs have started and left behind: the round was a process group of its own.
  kill(-pid, SIGKILL);
  const bool overdue = WIFSIGNALED(wait_status) && clock_.Now() > playing.deadline;
  SceneResult result = ResultOf(playing.folder, wait_status, overdue);
  if (result.breaches.empty() || playing.round.defect > 0) {
    std::filesystem::remove_all(playing.folder);
  } else {
    result.remarks.push_back("everything it left is in " + playing.folder);
  }
  if (!options_.state.empty() && playing.round.defect == 0) {
    const Status written = WriteSceneResult(result, PathOf(playing.round));
    if (!written.ok()) result.remarks.push_back(written.text());
  }
  on_done_(playing.round, result, false);
}

}  // namespace relay

#include "tests/support/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <utility>

#include "relay/check.h"
#include "tests/support/exec_texts.h"

namespace relay {

namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

bool WaitUntil(Millis patience, const std::function<bool()>& condition) {
  static constexpr int kLookEveryMs = 2;
  SystemClock clock;
  const MonoTime end = clock.Now() + patience;
  while (!condition()) {
    if (clock.Now() >= end) return false;
    poll(nullptr, 0, kLookEveryMs);
  }
  return true;
}

ChildProgram::ChildProgram(std::vector<std::string> arguments, std::string output_path,
                           const std::vector<std::string>& environment)
    : output_path_(std::move(output_path)) {
  std::vector<std::string> variables = EnvironmentWith(environment);
  std::vector<char*> argv = PointersTo(arguments);
  std::vector<char*> envp = PointersTo(variables);
  const pid_t parent = getpid();
  pid_ = fork();
  RELAY_CHECK(pid_ >= 0);
  if (pid_ > 0) return;
  // The child, until exec: nothing here may allocate or lock.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int out = open(output_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || in < 0) _exit(127);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  execvpe(argv[0], argv.data(), envp.data());
  _exit(127);
}

ChildProgram::~ChildProgram() {
  Kill9();
}

std::optional<int> ChildProgram::Wait(Millis patience) {
  WaitUntil(patience, [this] { return !running(); });
  return status_;
}

bool ChildProgram::running() {
  if (status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void ChildProgram::Signal(int number) {
  if (running()) kill(pid_, number);
}

void ChildProgram::Kill9() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = 128 + SIGKILL;
}

std::string ChildProgram::Output() const {
  return ReadFile(output_path_);
}

std::optional<std::string> ChildProgram::WaitForOutput(const std::string& pattern,
                                                       Millis patience) {
  const std::regex regex(pattern);
  std::optional<std::string> found;
  WaitUntil(patience, [&] {
    const bool ended = !running();  // Asked first, so that the last words are read too.
    const std::string output = Output();
    std::smatch match;
    if (std::regex_search(output, match, regex)) found = match[match.size() > 1 ? 1 : 0];
    return found || ended;
  });
  return found;
}

int64_t ChildProgram::resident_kib() const {
  std::smatch match;
  const std::string status = ReadFile("/proc/" + std::to_string(pid_) + "/status");
  static const std::regex kRss("VmRSS:\\s+(\\d+) kB");
  return std::regex_search(status, match, kRss) ? std::stoll(match[1]) : 0;
}

}  // namespace relay

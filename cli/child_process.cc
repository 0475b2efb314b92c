#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

namespace relay {

namespace {

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// Runs in the child, between fork and exec: system calls only.
[[noreturn]] void BecomeChild(pid_t parent, int log, int complaints, char* const* argv,
                              char* const* environment) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // relayctl may have ended before the line above.
  if (getppid() != parent) _exit(127);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  // libevent's loop of the parent ignores SIGPIPE, and ignoring is inherited.
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execvpe(argv[0], argv, environment);
  const int error = errno;
  // A pipe that is closed on exec tells the parent that exec failed, and why.
  [[maybe_unused]] const ssize_t written = write(complaints, &error, sizeof(error));
  _exit(127);
}

}  // namespace

Result<pid_t> StartChild(const ChildSpec& spec) {
  const int log = open(spec.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) {
    return Status::Unavailable("cannot write " + spec.log_file + ": " + std::strerror(errno));
  }
  int complaints[2];
  if (pipe2(complaints, O_CLOEXEC) != 0) {
    close(log);
    return Status::Internal(std::string("pipe: ") + std::strerror(errno));
  }
  const std::vector<char*> argv = Pointers(spec.argv);
  const std::vector<char*> environment = Pointers(spec.environment);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeChild(parent, log, complaints[1], argv.data(), environment.data());
  const int fork_error = errno;
  close(log);
  close(complaints[1]);
  int exec_error = 0;
  // Returns at exec, which closes the other end, or with what went wrong.
  const bool failed = pid > 0 && read(complaints[0], &exec_error, sizeof(exec_error)) > 0;
  close(complaints[0]);
  if (pid < 0) return Status::Internal(std::string("fork: ") + std::strerror(fork_error));
  if (failed) {
    waitpid(pid, nullptr, 0);
    return Status::NotFound("cannot run " + spec.argv.front() + ": " + std::strerror(exec_error));
  }
  return pid;
}

std::string DescribeEnd(int wait_status) {
  if (WIFSIGNALED(wait_status)) return "signal " + std::to_string(WTERMSIG(wait_status));
  return "exit status " + std::to_string(WEXITSTATUS(wait_status));
}

std::string TailOf(const std::string& path, size_t bytes) {
  std::ifstream file(path, std::ios::ate);
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (size <= 0) return "";
  const std::streamoff from =
      std::max<std::streamoff>(0, size - static_cast<std::streamoff>(bytes));
  file.seekg(from);
  std::stringstream text;
  text << file.rdbuf();
  std::string tail = text.str();
  // The rest of a line that is cut in two says nothing.
  if (from > 0) tail.erase(0, tail.find('\n') + 1);
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  return tail;
}

}  // namespace relay

#include "tests/chaos/process_facts.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace relay {

namespace {

std::string ProcPath(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

Millis CpuTimeOf(pid_t pid) {
  std::ifstream file(ProcPath(pid, "stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // Behind the program's name, which may hold anything: state, then fields 4 to 13 of proc(5),
  // then the two that are asked for.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return Millis(0);
  std::istringstream fields(text.substr(name_end + 1));
  constexpr int kFieldsBefore = 11;
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t kernel = 0;
  fields >> user >> kernel;
  return Millis((user + kernel) * 1000 / sysconf(_SC_CLK_TCK));
}

int DescriptorsOf(pid_t pid) {
  std::error_code error;
  std::filesystem::directory_iterator open(ProcPath(pid, "fd"), error);
  return error ? 0 : static_cast<int>(std::distance(begin(open), end(open)));
}

}  // namespace relay

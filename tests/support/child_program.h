#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/clock.h"

namespace relay {

// Looks at `condition` every few milliseconds until it holds or `patience` is over; returns whether
// it held. For what other processes do, which no callback can tell a test.
bool WaitUntil(Millis patience, const std::function<bool()>& condition);

// One real program run by a test, its output kept in a file. It dies with the test binary, and at
// the latest with this object.
class ChildProgram {
 public:
  // Starts `arguments[0]`, looked for in PATH, with standard output and error appended to
  // `output_path`. `environment` are "NAME=value" in place of, and beside, the test's own.
  ChildProgram(std::vector<std::string> arguments, std::string output_path,
               const std::vector<std::string>& environment = {});
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;
  ~ChildProgram();

  // Waits for the end and returns the exit status (128 + number for a signal); nothing when
  // `patience` is over first.
  std::optional<int> Wait(Millis patience);
  void Signal(int number);
  // Kills it as a crash does and waits for its end.
  void Kill9();
  bool running();

  // All that it has printed so far.
  std::string Output() const;
  // Waits until `pattern` (ECMAScript) stands in the output; returns its first group, or the whole
  // match when it has none.
  std::optional<std::string> WaitForOutput(const std::string& pattern, Millis patience);
  // Resident memory in KiB, from /proc.
  int64_t resident_kib() const;
  pid_t pid() const { return pid_; }

 private:
  std::string output_path_;
  pid_t pid_ = 0;
  std::optional<int> status_;
};

}  // namespace relay

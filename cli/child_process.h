#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// A program that `relayctl up` runs.
struct ChildSpec {
  std::string name;                      // For messages: "relay-broker 0".
  std::vector<std::string> argv;         // The first is the file; without a slash, found in PATH.
  std::vector<std::string> environment;  // "NAME=value", all that it gets.
  std::string log_file;                  // stdout and stderr, appended.
  // Those with a smaller number are stopped, and gone, before others are asked to stop.
  int stop_order = 0;
  // How long it may take to end after SIGTERM before it is killed.
  Millis stop_patience{10000};
  // What must be done before each start, e.g. the repair of a file; may be empty. Blocks.
  std::function<Status()> before_start;
};

// Starts the program and returns its process id. It leads a process group of its own, so that a
// Ctrl-C of the terminal reaches relayctl alone, which then stops its children in order; and the
// kernel kills it when relayctl ends in any way, kill -9 included.
Result<pid_t> StartChild(const ChildSpec& spec);

// "exit status 3" or "signal 9".
std::string DescribeEnd(int wait_status);

// The last lines of a file, at most `bytes` of it; empty when it cannot be read.
std::string TailOf(const std::string& path, size_t bytes = 2000);

}  // namespace relay

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/settings.h"
#include "relay/status.h"

namespace relay {

// A program that serves until it is told to stop, as its main sees it.
class Daemon {
 public:
  virtual ~Daemon() = default;
  // Opens all listeners. A non-OK status says which address cannot be had, and why.
  virtual Status Listen() = 0;
  // Ends in good order, then stops the loop. May be called again by an impatient operator.
  virtual void Drain() = 0;
};

// What a Daemon is made of; all of it outlives the Daemon.
struct DaemonParts {
  SystemLoop& loop;
  const Settings& settings;
  int instance;
  Random& random;
  Log& log;
  Metrics& metrics;
};

struct DaemonSpec {
  std::string name;     // "relay-broker"
  std::string purpose;  // The first line of --help.
  // The setting that decides how many files are open at once, by name and in the settings. Where
  // `files_lowered`, it is lowered to what the process may open; else running out does no harm.
  std::string files_key;
  std::function<int&(Settings&)> files_max;
  bool files_lowered = false;
  // InvalidArgument or NotFound when conf cannot be followed.
  std::function<Result<std::unique_ptr<Daemon>>(DaemonParts)> make;
};

// The whole life of the program: command line, conf, loop, SIGTERM and SIGINT. Returns an ExitCode.
int RunDaemon(const DaemonSpec& spec, int argc, char** argv);

}  // namespace relay

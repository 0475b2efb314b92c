#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/scene.h"
#include "tests/support/child_program.h"

namespace relay {

// An nginx that reads every request whole and answers it at once with 200 and {"code":0}: what a
// callback could be answered at best, and a receiver that costs as little as any. It keeps
// connections and no logs, and counts what it is asked. Ends with this object.
class Nginx {
 public:
  struct Options {
    int processes = 1;
    int ports = 1;            // Each as if it were another customer's.
    int failing_percent = 0;  // Answered 500, by chance.
    bool tls = false;         // With a certificate for 127.0.0.1 that signs itself.
  };

  // Abandons the scene when it does not start.
  Nginx(Scene& scene, Options options);
  ~Nginx();

  int port(int i = 0) const { return ports_[static_cast<size_t>(i)]; }
  // The certificate, to be trusted; requires Options::tls.
  std::string pem() const { return folder_ + "/cert.pem"; }
  // Requests so far, without those that ask for their number.
  int64_t Requests();
  // Of all its processes.
  Millis CpuTime() const;

 private:
  std::string Conf() const;
  bool Answers();

  Scene& scene_;
  const Options options_;
  const std::string folder_;
  std::vector<int> ports_;
  int count_port_ = 0;
  int64_t own_requests_ = 0;
  std::unique_ptr<ChildProgram> program_;
};

// What a program prints when it is run to its end; a status other than 0 abandons the scene.
std::string Run(Scene& scene, const std::vector<std::string>& command, Millis patience);

// A port of loopback that nobody listened on a moment ago, for programs that cannot choose one.
int FreeLoopbackPort();

// All processes below `pid`, and itself.
std::vector<pid_t> FamilyOf(pid_t pid);

}  // namespace relay

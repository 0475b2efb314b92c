#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"
#include "relay/transport.h"

namespace relay {

// A private redis-server for one test: its own temporary folder, a unix socket in it, the shipped
// conf/redis.conf underneath. Whatever way the test ends, the server ends with it and the folder is
// removed; a test binary that is killed takes its server along.
//
// Start(), Stop() and Kill9() block the test's thread, with a bound.
class RedisProcess {
 public:
  struct Options {
    // Over the shipped value, to make ordinary tests independent of the disk.
    std::string appendfsync = "everysec";
    std::string maxmemory = "256mb";
    // Lines of redis.conf that come last, e.g. "aof-load-truncated yes".
    std::vector<std::string> lines = {};
    // Whether a torn AOF is cut (redis-check-aof --fix) before each start.
    bool repair_aof = true;
    // "NAME=value", over what the test's own environment says. For the server alone: the repair
    // before a start goes without.
    std::vector<std::string> environment = {};
    // A command and its arguments in front of redis-server. One that forks where it should exec
    // (as faketime does) leaves the server behind when the test binary is killed.
    std::vector<std::string> wrapper = {};
    // Listens on a loopback port as well: the same one after each start.
    bool tcp = false;
    // Used instead of a temporary folder, made if need be, and left there at the end.
    std::string folder = "";
  };

  RedisProcess() : RedisProcess(Options{}) {}
  explicit RedisProcess(Options options);
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;
  ~RedisProcess();

  // Starts the server and waits until it answers PING. The text of a failure holds the end of the
  // server's log. Requires: it does not run.
  Status Start();
  // As a crash does it: nothing is flushed. What write(2) took survives, for the kernel lives on.
  // A rewrite's child lives on too, for a while.
  void Kill9();
  // As the end of the machine does it: the server, its children and its wrapper end together.
  void KillGroup9();
  // Sends a signal to the server, its children and its wrapper.
  void SignalGroup(int number);
  // As an operator does it: SIGTERM, and wait for the end.
  void Stop();
  Status Restart() {
    Stop();
    return Start();
  }
  // Looks whether it has ended by itself, as it does when it cannot write what it should; then it
  // can be started again.
  bool HasEnded();
  // SIGSTOP and SIGCONT: a server that is there and does not answer.
  void Freeze();
  void Thaw();

  // What the next Start() goes by.
  Options& options() { return options_; }
  bool running() const { return pid_ > 0; }
  // Of the server, or of the wrapper in front of it; also the number of the process group.
  pid_t pid() const { return pid_; }
  // All that lives of the group: the server, the child of a rewrite, a wrapper.
  std::vector<pid_t> group() const;
  const std::string& folder() const { return folder_; }
  std::string socket_path() const { return folder_ + "/redis.sock"; }
  SocketAddress address() const;
  // The loopback port; 0 without Options::tcp.
  int port() const { return port_; }
  // The incremental AOF file that is written at present, to tear its tail.
  std::string aof_path() const;

 private:
  Status RepairAof();
  Status WaitUntilItAnswers();
  bool AnswersPing() const;
  Status WriteConf(const std::string& path) const;
  void ReservePort();
  // To the server; with a wrapper, to the group.
  void Signal(int number);
  std::string LogTail() const;
  // Waits for the end of the server, for at most `patience`, and then kills it.
  void Reap(Millis patience);

  Options options_;
  std::string folder_;
  pid_t pid_ = 0;
  int port_ = 0;
  // Holds the port, bound and not listening, for as long as this object lives.
  int reservation_ = -1;
};

}  // namespace relay

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
  void Kill9();
  // As an operator does it: SIGTERM, and wait for the end.
  void Stop();
  Status Restart() {
    Stop();
    return Start();
  }
  // SIGSTOP and SIGCONT: a server that is there and does not answer.
  void Freeze();
  void Thaw();

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  std::string socket_path() const { return folder_ + "/redis.sock"; }
  SocketAddress address() const;
  // The incremental AOF file that is written at present, to tear its tail.
  std::string aof_path() const;

 private:
  Status RepairAof();
  Status WaitUntilItAnswers();
  bool AnswersPing() const;
  std::string LogTail() const;
  // Waits for the end of the server, for at most `patience`, and then kills it.
  void Reap(Millis patience);

  Options options_;
  std::string folder_;
  pid_t pid_ = 0;
};

}  // namespace relay

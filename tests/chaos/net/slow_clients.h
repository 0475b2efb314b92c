#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "relay/clock.h"

namespace relay {

// Which of a server's deadlines ends a slow client.
enum class SlowDeadline { kHead, kBody, kIdle };

// What became of the clients of one kind.
struct SlowLives {
  std::string kind;
  SlowDeadline deadline;
  int64_t ended = 0;  // By the server.
  // From connecting, or from the last whole request where they pipeline, to the end, or to now
  // where there has been none.
  Millis longest{0};
};

// The slowloris family: clients that hold on to a connection of an HTTP server on loopback, each
// kind in its way, until the server ends it; then they come again. On a thread of its own.
class SlowClients {
 public:
  struct Plan {
    int port = 0;
    int of_each_kind = 50;
    int pipelining = 2;  // These are a flood until the server stops reading.
    Millis drip{200};    // Between two of the bytes that come one by one.
  };

  explicit SlowClients(Plan plan);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;

  int count() const;
  // Lets go of all connections and tells how long they lived, kind by kind. Once.
  std::vector<SlowLives> Stop();

 private:
  struct Client;

  void Run();
  void Connect(Client& client);
  void Turn(Client& client);
  void OnEnded(Client& client);

  const Plan plan_;
  SystemClock clock_;
  std::vector<Client> clients_;
  std::vector<SlowLives> lives_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace relay

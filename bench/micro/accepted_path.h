#pragma once

#include <chrono>
#include <memory>

#include "bench/micro/allocations.h"

namespace relay {

// The way of an accepted callback through the broker, whole: HTTP server, verification, routing,
// admission, publisher, connection to Redis, answer; wired as Broker wires them, on real sockets.
// Around it stand clients and a Redis that answers and stores nothing. They share the thread, so
// that nothing depends on chance, and neither their time nor their memory is counted.
class AcceptedPath {
 public:
  struct Load {
    int connections = 16;
    // Bodies are padded to this; 0 leaves the provider's ordinary size, about 0.5 KB.
    int64_t body_bytes = 0;
  };
  // What the broker took for a round.
  struct Cost {
    AllocationCount allocations;
    std::chrono::nanoseconds cpu{0};  // Of this thread, the kernel's part included.
  };

  // Returns once the broker's connection to Redis is up.
  explicit AcceptedPath(Load load);
  ~AcceptedPath();

  // Sends one callback over each connection and lets the broker work until all are acknowledged.
  Cost Round();
  // The same, with a backtrace on stderr for each allocation that is ours.
  void TraceRound();

 private:
  class Broker;
  class Clients;
  class StorelessRedis;

  std::unique_ptr<StorelessRedis> redis_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Clients> clients_;
};

}  // namespace relay

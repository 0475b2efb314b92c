#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cli/latency_histogram.h"
#include "relay/clock.h"
#include "tests/chaos/net/bad_requests.h"

namespace relay {

struct BadTrafficResult {
  int64_t sent = 0;
  int64_t refused = 0;                // As they must be.
  int64_t unanswered = 0;             // The connection ended without an answer.
  int64_t accepted = 0;               // Answered 2xx.
  int64_t surprises = 0;              // Refused with another status than is right.
  LatencyHistogram refusal_latency;   // From the last byte sent to the first of the answer.
  std::vector<std::string> examples;  // Of what should not be, at most ten.
};

// Sends bad requests to a broker on loopback, each on a connection of its own, several at a time,
// and holds the answers against what they must be. On a thread of its own.
class BadTraffic {
 public:
  struct Plan {
    int port = 0;
    uint64_t seed = 0;
    int64_t count = 1000;
    int connections = 8;  // At a time.
  };

  explicit BadTraffic(Plan plan);
  ~BadTraffic();
  BadTraffic(const BadTraffic&) = delete;

  // All has been sent and judged.
  bool done() const { return done_; }
  // Waits for that. Once.
  BadTrafficResult Await();

 private:
  struct Sender;

  void Run();
  void Begin(Sender& sender);
  void SendMore(Sender& sender);
  // False when the connection has come to its end.
  bool ReadMore(Sender& sender);
  void Judge(const Sender& sender);
  void Example(const Sender& sender, const std::string& what);

  const Plan plan_;
  SystemClock clock_;
  BadRequestMaker maker_;
  BadTrafficResult result_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace relay

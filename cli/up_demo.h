#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/up_plan.h"
#include "relay/catalog.h"
#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// One request that a sink has answered, from its log.
struct SinkLine {
  std::string webhook_id;
  std::string seq;
  int64_t attempt = 0;
  int64_t status = 0;
  int64_t at_us = 0;
};

// Reads what a sink appends to its log from now on. The file may come into being later.
class SinkLogReader {
 public:
  explicit SinkLogReader(std::string path) : path_(std::move(path)), file_(path_, std::ios::ate) {}
  // The whole lines that have come since the last call; lines of another form are passed over.
  std::vector<SinkLine> ReadNew();

 private:
  const std::string path_;
  std::ifstream file_;
  std::string rest_;  // The beginning of a line whose end is not written yet.
};

// The catalog of the demo with the sinks' addresses of this run in place of the shipped ones.
Result<Catalog> DemoCatalog(const UpPlan& plan);
// The options of `relayctl sink` that let it verify what is sent to the endpoint.
std::vector<std::string> SinkSecrets(const Endpoint& endpoint);

// One signed callback that goes through the broker's real port, and what the sinks saw of it: the
// index-th endpoint of the demo's tenant is the index-th sink.
class DemoEvent {
 public:
  // `catalog` is the one that was applied.
  DemoEvent(const UpPlan& plan, const Tenant& tenant, const Clock& clock);

  // Sends it; blocks for a few ms. A non-OK status says what the broker answered instead.
  Status Send();
  // Reads what has come to the sinks meanwhile.
  void Look();

  // Every endpoint has had its first attempt.
  bool attempted_everywhere() const;
  // Every endpoint has answered 2xx.
  bool arrived_everywhere() const;
  // Numbers of the endpoints whose last answer was a failure.
  std::vector<uint64_t> Failing() const;
  // "event 3f.. accepted in 0.9 ms -> customer-a 200 (3 ms) · ...". `due_us` says when the next
  // attempt of a failing endpoint is due, as far as it is known.
  std::string Summary(const std::map<uint64_t, int64_t>& due_us) const;
  // "customer-c has answered 500 to 2 attempts": of those that have not got it. Empty: none.
  std::string Missing() const;

 private:
  struct Receiver {
    std::string id;
    uint64_t number = 0;
    SinkLogReader log;
    std::optional<SinkLine> last;
  };

  const UpPlan& plan_;
  const Clock& clock_;
  std::string seq_;
  std::string event_id_;
  int64_t sent_us_ = 0;
  Micros accept_latency_{0};
  std::vector<Receiver> receivers_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/account_lines.h"
#include "cli/expectation.h"
#include "cli/latency_histogram.h"

namespace relay {

// What an account comes to. A callback is acknowledged when one of its requests was answered 2xx,
// else indeterminate when for one of them nobody knows, else refused. An obligation is a pair of
// an acknowledged callback and an endpoint that is owed it.
struct AccountResult {
  int64_t callbacks = 0;
  int64_t acked = 0;
  int64_t indeterminate = 0;
  int64_t refused = 0;
  int64_t endpoints = 0;
  int64_t obligations = 0;
  int64_t delivered = 0;  // Obligations that an endpoint answered 2xx at least once.
  int64_t dead = 0;       // Obligations not delivered that stand in the dead letters.
  int64_t loss = 0;       // All other obligations.
  // Deliveries of what was never sent, was refused for good (4xx), or was not owed there.
  int64_t phantom = 0;
  // Received bodies that are not what was sent, bad signatures, webhook ids that changed.
  int64_t corrupt = 0;
  int64_t duplicates = 0;             // 2xx answers beyond the first of a delivery.
  int64_t duplicates_near_fault = 0;  // Of these, within 30 s after a fault.
  int64_t delivered_after_5xx = 0;    // The store had been answered too late: allowed, not owed.
  int64_t early_retries = 0;          // Before the schedule less its jitter.
  int64_t late_retries = 0;           // More than 2 s after the schedule plus its jitter.
  int64_t inversions = 0;             // First deliveries that came behind a later one's, by stream.
  int64_t dead_unknown = 0;           // Dead letters that could not be told from the logs.
  int64_t malformed_lines = 0;
  LatencyHistogram sent_to_receipt;   // From the first request to the first 2xx of the endpoint.
  LatencyHistogram acked_to_receipt;  // From its acknowledgement; what came before counts as 0.
  std::vector<std::string> examples;  // Of what should not be, at most ten of each kind.

  // Nothing lost, invented or altered.
  bool clean() const { return loss == 0 && phantom == 0 && corrupt == 0; }
};

// The accountant: told what a simulated provider sent and what the sinks received, it says what is
// owed, what arrived, and what went wrong in between. Lines are told in this order: faults, all
// sent, all received (each sink's in its own order), dead letters. It keeps about 100 bytes for
// each callback and for each delivery.
class Account {
 public:
  // `expectation` outlives it; null means that every endpoint that received anything at all is owed
  // every callback.
  explicit Account(Expectation* expectation);

  void AddFault(int64_t at_us);
  void Add(const SentLine& line);
  void Add(const ReceivedLine& line);
  void Add(const DeadLine& line);
  void AddMalformed() { ++result_.malformed_lines; }
  // Draws the sum. Called once, at the end.
  AccountResult Conclude();

 private:
  struct Callback {
    uint64_t hash = 0;        // The first half of its SHA-256 will do to tell bodies apart.
    uint64_t webhook_id = 0;  // A hash of the id under which it was received first; 0: not yet.
    int64_t sent_us = 0;
    int64_t acked_us = 0;
    const OwedEndpoints* owed = nullptr;
    uint32_t stream = 0;
    uint16_t unanswered = 0;  // Requests without a line for their answer.
    bool acked = false;
    bool indeterminate = false;
    bool refused_5xx = false;
  };
  struct Delivery {
    int64_t first_ok_us = 0;
    int64_t last_us = 0;  // Of the last attempt that was seen.
    uint32_t ok = 0;
    uint16_t last_attempt = 0;
    uint16_t last_status = 0;
    bool dead = false;
  };

  uint32_t EndpointNumber(const std::string& name);
  Delivery& DeliveryOf(uint32_t callback, uint32_t endpoint);
  void CheckIntegrity(const ReceivedLine& line, Callback& callback);
  void CheckEntitlement(const ReceivedLine& line, const Callback& callback);
  void CheckTiming(const ReceivedLine& line, const Delivery& delivery);
  void CountFirstDelivery(const ReceivedLine& line, uint32_t callback, uint32_t endpoint);
  bool NearFault(int64_t at_us) const;
  void Example(const char* kind, int64_t count, const std::string& seq,
               const std::string& endpoint);
  void ConcludeObligation(const std::string& seq, const Callback& callback, uint32_t number,
                          uint32_t endpoint);

  Expectation* const expectation_;
  AccountResult result_;
  std::vector<int64_t> faults_;
  std::vector<Callback> callbacks_;                   // In the order of their first request.
  std::unordered_map<std::string, uint32_t> by_seq_;  // Into callbacks_.
  std::unordered_map<std::string, uint32_t> streams_;
  std::vector<std::string> endpoint_names_;
  std::unordered_map<std::string, uint32_t> endpoints_;
  std::unordered_map<uint64_t, Delivery> deliveries_;      // By callback and endpoint.
  std::unordered_map<uint64_t, uint32_t> by_webhook_id_;   // Hash of the id, into callbacks_.
  std::unordered_map<uint64_t, uint32_t> last_of_stream_;  // By endpoint and stream.
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/account_lines.h"
#include "cli/availability.h"
#include "cli/endpoint_health.h"
#include "cli/expectation.h"
#include "cli/latency_histogram.h"
#include "cli/recovery.h"

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
  // Each obligation is delivered, else dead, else pending, else lost in a cut, else a loss.
  int64_t obligations = 0;
  int64_t delivered = 0;    // An endpoint answered 2xx at least once.
  int64_t dead = 0;         // In the dead letters.
  int64_t pending = 0;      // In the list of what is pending.
  int64_t lost_in_cut = 0;  // Acknowledged so shortly before a cut that the cut may lose it.
  int64_t loss = 0;
  Micros lost_in_cut_oldest{0};  // The longest before the cut that anything was acknowledged.
  // Of the dead: given up although the endpoint was well for all of what its schedule still had.
  int64_t false_dead = 0;
  // Deliveries of what was never sent, was refused for good (4xx), or was not owed there.
  int64_t phantom = 0;
  // Received bodies that are not what was sent, signatures that are bad or missing where the sink
  // verifies, webhook ids that changed or are those of another callback.
  int64_t corrupt = 0;
  int64_t duplicates = 0;                // 2xx answers beyond the first of a delivery.
  int64_t duplicates_near_fault = 0;     // Of these, during a fault or soon after it.
  int64_t duplicates_without_fault = 0;  // Of these, neither that nor after a late answer.
  int64_t late_answers = 0;              // 2xx answers that came after the endpoint's timeout.
  int64_t delivered_after_5xx = 0;       // The store had been answered too late: allowed, not owed.
  int64_t early_retries = 0;             // Before the schedule less its jitter.
  int64_t late_retries = 0;              // More than 2 s after the schedule plus its jitter.
  int64_t late_retries_near_fault = 0;
  int64_t inversions = 0;       // First deliveries that came behind a later one's, by stream.
  int64_t dead_unknown = 0;     // Dead letters that could not be told from the logs.
  int64_t pending_unknown = 0;  // The same of what is pending.
  int64_t malformed_lines = 0;
  Availability availability;
  std::vector<Recovery> recoveries;   // One for each fault, in the order of their ends.
  LatencyHistogram sent_to_receipt;   // From the first request to the first 2xx of the endpoint.
  LatencyHistogram acked_to_receipt;  // From its acknowledgement; what came before counts as 0.
  std::vector<std::string> examples;  // Of what should not be, at most ten of each kind.

  // Nothing lost, invented or altered.
  bool clean() const { return loss == 0 && phantom == 0 && corrupt == 0; }
};

// The accountant: told what a simulated provider sent and what the sinks received, it says what is
// owed, what arrived, and what went wrong in between. Lines are told in this order: faults, all
// sent, all received (each sink's in its own order), dead letters and what is pending. It keeps
// about 100 bytes for each callback and for each delivery.
class Account {
 public:
  // How long after a fault's end what happens counts as near it.
  static constexpr Micros kAftermath = Seconds(30);

  // `expectation` outlives it; null means that every endpoint that received anything at all is owed
  // every callback. Without it, neither false dead nor early or late is told.
  explicit Account(Expectation* expectation, Micros aftermath = kAftermath);

  void Add(const FaultLine& line) { faults_.Add(line); }
  void Add(const SentLine& line);
  void Add(const ReceivedLine& line);
  void Add(const DeadLine& line);
  void Add(const PendingLine& line);
  void AddMalformed() { ++result_.malformed_lines; }
  // Draws the sum. Called once, at the end.
  AccountResult Conclude();

 private:
  struct Callback {
    uint64_t hash = 0;        // The first half of its SHA-256 will do to tell bodies apart.
    uint64_t webhook_id = 0;  // A hash of the id under which it was received first; 0: not yet.
    int64_t sent_us = 0;
    int64_t answered_us = 0;  // When it was acknowledged; until then, its last other answer.
    const OwedEndpoints* owed = nullptr;
    uint32_t stream = 0;
    uint32_t waited_us = 0;   // From when it was meant to leave until it left.
    uint16_t unanswered = 0;  // Requests without a line for their answer.
    bool acked = false;
    bool indeterminate = false;
    bool refused_5xx = false;
    bool forbidden = false;
    bool pending = false;
  };
  struct Delivery {
    int64_t first_us = 0;  // Of the first attempt that was seen, whatever it was answered.
    int64_t last_us = 0;   // Of the last one.
    uint32_t ok = 0;
    uint16_t last_attempt = 0;
    uint16_t last_status = 0;
    uint16_t failed = 0;  // Attempts seen to fail since the first or since it was redriven.
    bool dead = false;
    bool gave_up = false;  // Dead for its failures, and not by a rule that no sink can see.
    bool pending = false;
  };
  struct EndpointBook {
    std::string name;
    const Endpoint* terms = nullptr;  // Null for one that the catalog does not have.
    EndpointHealth health;
    bool has_dead = false;
    bool verifies = false;  // Its sink has said of a signature that it is right or wrong.
    int64_t unsigned_lines = 0;
  };

  void AddAnswer(const SentLine& line, Callback& callback);
  uint32_t EndpointNumber(const std::string& name);
  Delivery& DeliveryOf(uint32_t callback, uint32_t endpoint);
  // Whose line of a list it is; null when the logs do not tell.
  const uint32_t* CallbackOf(const ListedLine& line) const;
  void CheckIntegrity(const ReceivedLine& line, uint32_t number, EndpointBook& book);
  void ConcludeUnsigned(const EndpointBook& book);
  void CheckEntitlement(const ReceivedLine& line, const Callback& callback);
  void CheckTiming(const ReceivedLine& line, const EndpointBook& book, const Delivery& delivery);
  void CountDuplicate(const ReceivedLine& line, bool after_late_answer);
  void CountFirstDelivery(const ReceivedLine& line, uint32_t callback, uint32_t endpoint);
  void Example(const char* kind, int64_t count, const std::string& seq,
               const std::string& endpoint);

  void ConcludeCallback(const Callback& callback);
  void ConcludeObligation(const std::string& seq, uint32_t number, uint32_t endpoint);
  void CountLoss(const std::string& seq, const Callback& callback, const EndpointBook& book);
  static bool FalselyDead(const Callback& callback, const Delivery& delivery,
                          const EndpointBook& book);

  Expectation* const expectation_;
  AccountResult result_;
  FaultTimeline faults_;
  LagTimeline lags_;
  OfferTimeline offers_;
  std::vector<Callback> callbacks_;                   // In the order of their first request.
  std::unordered_map<std::string, uint32_t> by_seq_;  // Into callbacks_.
  std::unordered_map<std::string, uint32_t> streams_;
  std::vector<EndpointBook> books_;
  std::unordered_map<std::string, uint32_t> endpoints_;    // Into books_.
  std::unordered_map<uint64_t, Delivery> deliveries_;      // By callback and endpoint.
  std::unordered_map<uint64_t, uint32_t> by_webhook_id_;   // Hash of the id, into callbacks_.
  std::unordered_map<uint64_t, uint32_t> last_of_stream_;  // By endpoint and stream.
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// What one attempt came to. Part of the data model: a value is never given another meaning.
enum class AttemptOutcome : uint8_t {
  kAccepted = 1,
  kRejected = 2,     // a status that is retried
  kFinalStatus = 3,  // a status that the endpoint lists as final
  kOverloaded = 4,   // 429 or 503
  kGone = 5,         // 410: the endpoint does not want to be called again
  kAckMissing = 6,   // 2xx without {"code":0} where the endpoint asks for it
  kTimedOut = 7,
  kUnreachable = 8,  // connect, reset, name look-up
  kTlsFailed = 9,
  kBlocked = 10,   // the address guard refused the address
  kTooLarge = 11,  // the answer went over a limit
  // No attempt was made: why the delivery died.
  kExpired = 12,           // over the endpoint's deliver_within
  kEndpointDisabled = 13,  // the endpoint was disabled at run time
  kLoop = 14,              // the event has passed through too many relays
  kHeldQuota = 15,         // its endpoint is paused, and its tenant's quota of what is held used up
};
// The word that logs, metrics and tables print, e.g. "timed_out".
std::string_view AttemptOutcomeName(AttemptOutcome outcome);

// Why a delivery became a dead letter, as `relayctl dlq --reason` names it.
enum class DeadLetterReason {
  kAttemptsExhausted,
  kFinalStatus,
  kGone,
  kBlocked,
  kExpired,
  kEndpointDisabled,
  kLoop,
  kHeldQuota,
};
std::string_view DeadLetterReasonName(DeadLetterReason reason);
// InvalidArgument lists the names there are.
Result<DeadLetterReason> ParseDeadLetterReason(std::string_view name);

// One attempt as the worker hands it to a transition: 6 bytes: outcome, HTTP status (0: none;
// big-endian), latency in ms (big-endian, capped at 16,777,215).
std::string EncodeAttempt(AttemptOutcome outcome, int status, Micros latency);

// One attempt as it stands in the history: Redis's time (ms, 6 bytes, big-endian), then the above.
struct AttemptRecord {
  int64_t at_ms = 0;  // When the outcome was recorded.
  AttemptOutcome outcome = AttemptOutcome::kAccepted;
  int status = 0;  // 0: there was no answer.
  Millis latency{0};

  bool operator==(const AttemptRecord&) const = default;
};
constexpr size_t kAttemptBytes = 6;         // What the worker writes.
constexpr size_t kAttemptRecordBytes = 12;  // What the history keeps.
constexpr size_t kAttemptsKept = 16;        // The last so many of a delivery.

// Oldest first. InvalidArgument for a length that is no multiple of 12 or an unknown outcome.
Result<std::vector<AttemptRecord>> DecodeHistory(std::string_view bytes);

// The reason of a dead letter with this history: its last record says it.
DeadLetterReason ReasonOf(const std::vector<AttemptRecord>& history);

}  // namespace relay

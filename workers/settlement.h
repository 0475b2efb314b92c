#pragma once

#include <variant>

#include "relay/attempt_record.h"
#include "relay/catalog.h"
#include "relay/clock.h"
#include "relay/random.h"
#include "workers/attempt.h"

namespace relay {

// The three ways in which an attempt can end for its delivery.
struct Acknowledge {
  bool operator==(const Acknowledge&) const = default;
};
struct RetryAfter {
  Millis delay{0};
  bool operator==(const RetryAfter&) const = default;
};
struct DeadLetter {
  DeadLetterReason reason = DeadLetterReason::kAttemptsExhausted;
  bool operator==(const DeadLetter&) const = default;
};
using AttemptSettlement = std::variant<Acknowledge, RetryAfter, DeadLetter>;

// What an attempt has been, as far as the decision depends on it.
struct AttemptFacts {
  AttemptOutcome outcome = AttemptOutcome::kUnreachable;
  Millis retry_after{0};  // 0: the endpoint asked for nothing.
  int attempts_made = 1;  // This one included.
  WallTime accepted;      // When the broker accepted the event.
  WallTime now;
};

// Decides what becomes of a delivery after an attempt, by the endpoint's terms. Pure, but for the
// jitter it draws. The n-th failure waits for the n-th entry of the schedule, and beyond its end
// for the last one; a failure of the last attempt that the endpoint grants is a dead letter, and so
// is one whose next try would come after deliver_within.
AttemptSettlement DecideSettlement(const Endpoint& endpoint, const AttemptFacts& facts,
                                   Random& random);

// Whether the endpoint asked never to be called again, so that it is disabled until an operator
// enables it.
bool DisablesEndpoint(AttemptOutcome outcome);

// Whether deliver_within is over, so that a delivery dies as expired without another attempt.
bool DeliveryWindowIsOver(const Endpoint& endpoint, WallTime accepted, WallTime now);

}  // namespace relay

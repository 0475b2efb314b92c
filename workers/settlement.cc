#include "workers/settlement.h"

#include <algorithm>

namespace relay {
namespace {

// No schedule asks for more; it keeps the arithmetic far from its ends.
constexpr Millis kDelayMax = std::chrono::hours(24 * 365);

// The planned delay, moved by up to `jitter` of itself either way, so that deliveries which failed
// together do not come back together.
Millis Jittered(Millis planned, double jitter, Random& random) {
  const double factor = 1.0 + jitter * (2.0 * random.Unit() - 1.0);
  const double delay_ms = static_cast<double>(std::min(planned, kDelayMax).count()) * factor;
  return std::clamp(Millis(static_cast<int64_t>(delay_ms)), Millis(0), kDelayMax);
}

Millis AgeOf(WallTime accepted, WallTime now) {
  return std::chrono::duration_cast<Millis>(now - accepted);
}

AttemptSettlement RetryOrGiveUp(const Endpoint& endpoint, const AttemptFacts& facts,
                                Random& random) {
  if (facts.attempts_made >= AttemptsMax(endpoint)) {
    // The guard's refusal is the one reason that only the operator can remove: it keeps its name.
    return DeadLetter{facts.outcome == AttemptOutcome::kBlocked
                          ? DeadLetterReason::kBlocked
                          : DeadLetterReason::kAttemptsExhausted};
  }
  // An endpoint may ask for more time than was planned, never for less.
  const Millis delay =
      std::max(Jittered(RetryDelay(endpoint, facts.attempts_made), endpoint.retry_jitter, random),
               std::min(facts.retry_after, endpoint.retry_after_max));
  if (delay > endpoint.deliver_within - AgeOf(facts.accepted, facts.now)) {
    return DeadLetter{DeadLetterReason::kExpired};
  }
  return RetryAfter{delay};
}

}  // namespace

AttemptSettlement DecideSettlement(const Endpoint& endpoint, const AttemptFacts& facts,
                                   Random& random) {
  RELAY_CHECK(facts.attempts_made >= 1);
  switch (facts.outcome) {  // No default: a new outcome must not compile until decided here.
    case AttemptOutcome::kAccepted:
      return Acknowledge{};
    case AttemptOutcome::kFinalStatus:
      // The endpoint's owner listed this status as final: the same bytes would meet it again.
      return DeadLetter{DeadLetterReason::kFinalStatus};
    case AttemptOutcome::kGone:
      return DeadLetter{DeadLetterReason::kGone};
    case AttemptOutcome::kExpired:
      return DeadLetter{DeadLetterReason::kExpired};
    case AttemptOutcome::kEndpointDisabled:
      return DeadLetter{DeadLetterReason::kEndpointDisabled};
    case AttemptOutcome::kLoop:
      return DeadLetter{DeadLetterReason::kLoop};
    case AttemptOutcome::kHeldQuota:
      return DeadLetter{DeadLetterReason::kHeldQuota};
    case AttemptOutcome::kRejected:
    case AttemptOutcome::kOverloaded:
    case AttemptOutcome::kAckMissing:
    case AttemptOutcome::kTimedOut:
    case AttemptOutcome::kUnreachable:
    case AttemptOutcome::kTlsFailed:
    case AttemptOutcome::kBlocked:  // The operator may open the block, or the name may move.
    case AttemptOutcome::kTooLarge:
      break;
  }
  return RetryOrGiveUp(endpoint, facts, random);
}

bool DisablesEndpoint(AttemptOutcome outcome) {
  return outcome == AttemptOutcome::kGone;
}

bool DeliveryWindowIsOver(const Endpoint& endpoint, WallTime accepted, WallTime now) {
  return AgeOf(accepted, now) > endpoint.deliver_within;
}

}  // namespace relay

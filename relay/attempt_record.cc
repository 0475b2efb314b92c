#include "relay/attempt_record.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {
namespace {

constexpr DeadLetterReason kReasons[] = {
    DeadLetterReason::kAttemptsExhausted,
    DeadLetterReason::kFinalStatus,
    DeadLetterReason::kGone,
    DeadLetterReason::kBlocked,
    DeadLetterReason::kExpired,
    DeadLetterReason::kEndpointDisabled,
    DeadLetterReason::kLoop,
    DeadLetterReason::kHeldQuota,
};

void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

}  // namespace

std::string_view AttemptOutcomeName(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kAccepted:
      return "accepted";
    case AttemptOutcome::kRejected:
      return "rejected";
    case AttemptOutcome::kFinalStatus:
      return "final_status";
    case AttemptOutcome::kOverloaded:
      return "overloaded";
    case AttemptOutcome::kGone:
      return "gone";
    case AttemptOutcome::kAckMissing:
      return "ack_missing";
    case AttemptOutcome::kTimedOut:
      return "timed_out";
    case AttemptOutcome::kUnreachable:
      return "unreachable";
    case AttemptOutcome::kTlsFailed:
      return "tls_failed";
    case AttemptOutcome::kBlocked:
      return "blocked";
    case AttemptOutcome::kTooLarge:
      return "too_large";
    case AttemptOutcome::kExpired:
      return "expired";
    case AttemptOutcome::kEndpointDisabled:
      return "endpoint_disabled";
    case AttemptOutcome::kLoop:
      return "loop";
    case AttemptOutcome::kHeldQuota:
      return "held_quota";
  }
  return "unknown";
}

std::string_view DeadLetterReasonName(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kAttemptsExhausted:
      return "attempts_exhausted";
    case DeadLetterReason::kFinalStatus:
      return "final_status";
    case DeadLetterReason::kGone:
      return "gone";
    case DeadLetterReason::kBlocked:
      return "blocked";
    case DeadLetterReason::kExpired:
      return "expired";
    case DeadLetterReason::kEndpointDisabled:
      return "endpoint_disabled";
    case DeadLetterReason::kLoop:
      return "loop";
    case DeadLetterReason::kHeldQuota:
      return "held_quota";
  }
  return "unknown";
}

Result<DeadLetterReason> ParseDeadLetterReason(std::string_view name) {
  std::string known;
  for (const DeadLetterReason reason : kReasons) {
    if (DeadLetterReasonName(reason) == name) return reason;
    known.append(known.empty() ? "" : ", ").append(DeadLetterReasonName(reason));
  }
  return Status::InvalidArgument("unknown reason \"" + std::string(name) + "\"; there are " +
                                 known);
}

std::string EncodeAttempt(AttemptOutcome outcome, int status, Micros latency) {
  constexpr int64_t kLatencyMsMax = (1 << 24) - 1;
  const int64_t ms = std::clamp<int64_t>(latency.count() / 1000, 0, kLatencyMsMax);
  std::string out;
  out.push_back(static_cast<char>(outcome));
  AppendBigEndian(out, static_cast<uint16_t>(status), 2);
  AppendBigEndian(out, static_cast<uint64_t>(ms), 3);
  RELAY_CHECK(out.size() == kAttemptBytes);
  return out;
}

Result<std::vector<AttemptRecord>> DecodeHistory(std::string_view bytes) {
  if (bytes.size() % kAttemptRecordBytes != 0) {
    return Status::InvalidArgument("history of " + std::to_string(bytes.size()) + " bytes");
  }
  std::vector<AttemptRecord> history;
  for (; !bytes.empty(); bytes.remove_prefix(kAttemptRecordBytes)) {
    const auto outcome = static_cast<uint8_t>(bytes[6]);
    if (outcome < static_cast<uint8_t>(AttemptOutcome::kAccepted) ||
        outcome > static_cast<uint8_t>(AttemptOutcome::kHeldQuota)) {
      return Status::InvalidArgument("history with outcome " + std::to_string(outcome));
    }
    history.push_back({static_cast<int64_t>(ReadBigEndian(bytes.substr(0, 6))),
                       static_cast<AttemptOutcome>(outcome),
                       static_cast<int>(ReadBigEndian(bytes.substr(7, 2))),
                       Millis(ReadBigEndian(bytes.substr(9, 3)))});
  }
  return history;
}

DeadLetterReason ReasonOf(const std::vector<AttemptRecord>& history) {
  if (history.empty()) return DeadLetterReason::kAttemptsExhausted;
  switch (history.back().outcome) {
    case AttemptOutcome::kFinalStatus:
      return DeadLetterReason::kFinalStatus;
    case AttemptOutcome::kGone:
      return DeadLetterReason::kGone;
    case AttemptOutcome::kBlocked:
      return DeadLetterReason::kBlocked;
    case AttemptOutcome::kExpired:
      return DeadLetterReason::kExpired;
    case AttemptOutcome::kEndpointDisabled:
      return DeadLetterReason::kEndpointDisabled;
    case AttemptOutcome::kLoop:
      return DeadLetterReason::kLoop;
    case AttemptOutcome::kHeldQuota:
      return DeadLetterReason::kHeldQuota;
    case AttemptOutcome::kAccepted:
    case AttemptOutcome::kRejected:
    case AttemptOutcome::kOverloaded:
    case AttemptOutcome::kAckMissing:
    case AttemptOutcome::kTimedOut:
    case AttemptOutcome::kUnreachable:
    case AttemptOutcome::kTlsFailed:
    case AttemptOutcome::kTooLarge:
      break;
  }
  return DeadLetterReason::kAttemptsExhausted;
}

}  // namespace relay

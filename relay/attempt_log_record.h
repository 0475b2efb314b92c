#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/attempt_record.h"
#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// One attempt as the attempt log keeps it for people: what was sent to whom, when, how long each
// part took, and what came back. Apart from the history that decides about retries
// (relay/attempt_record.h), which lives no longer than its delivery.
//
// An entry of the log's stream (PartitionKeys::AttemptLog) has one field, kAttemptsField, that
// packs the attempts that a worker gathered:
//
//   entry   = 1, record...                           the first byte is the version of the format
//   record  = length, flags, id, endpoint, attempt, at, outcome, status, dns, connect, tls,
//             first byte, total, until due, why, answer
//
// Flags and outcome are a byte each, all other numbers are LEB128 in their shortest form, texts
// have their length before them. An id of 32 lower-case hex digits takes 16 bytes. Part of the data
// model: an older relayctl refuses a version that it does not know.

constexpr std::string_view kAttemptsField = "a";

// What became of the delivery after the attempt.
enum class AttemptFate : uint8_t { kDelivered = 1, kRetry = 2, kDead = 3 };
// "delivered", "retry", "dead".
std::string_view AttemptFateName(AttemptFate fate);

// Where an attempt's time went. A part that did not happen, or was not reached, is 0.
struct AttemptTimes {
  Micros dns{0};         // From the start to a vetted address.
  Micros connect{0};     // TCP; 0 on a kept connection.
  Micros tls{0};         // The handshake; 0 on a kept connection.
  Micros first_byte{0};  // From the connection's standing to the first byte of the answer.
  Micros total{0};       // From the start to the outcome.

  bool operator==(const AttemptTimes&) const = default;
};

struct AttemptLogRecord {
  // What is longer is cut when it is written.
  static constexpr size_t kIdMax = 64;
  static constexpr size_t kWhyMax = 200;
  static constexpr size_t kAnswerMax = 1024;
  // Of an accepted attempt: nobody asks why it worked, and most attempts are of this kind.
  static constexpr size_t kAcceptedAnswerMax = 128;

  std::string event_id;
  uint64_t endpoint = 0;  // Its number.
  int attempt = 1;        // The how-manieth; 0: the delivery died without one.
  int64_t at_ms = 0;      // Of the outcome, by the worker's wall clock.
  AttemptOutcome outcome = AttemptOutcome::kAccepted;
  AttemptFate fate = AttemptFate::kDelivered;
  int status = 0;  // 0: there was no answer.
  AttemptTimes times;
  bool connection_reused = false;
  int64_t due_ms = 0;       // Of the next attempt, by the same clock; 0: none is planned.
  std::string why;          // Ours, e.g. why a name did not resolve.
  std::string answer;       // The beginning of the answer's body: attacker-controlled bytes.
  bool answer_cut = false;  // There was more of it.

  bool operator==(const AttemptLogRecord&) const = default;
};

// Bytes that a record adds to an entry at most.
constexpr size_t kAttemptLogRecordBytesMax = 1500;

// Appends a record to an entry; an empty `entry` is begun first.
void AppendAttempt(const AttemptLogRecord& record, std::string& entry);

// The records of an entry, in the order of appending. InvalidArgument for anything that
// AppendAttempt() would not have written: another version, a length that does not fit, an unknown
// outcome.
Result<std::vector<AttemptLogRecord>> DecodeAttempts(std::string_view entry);

}  // namespace relay

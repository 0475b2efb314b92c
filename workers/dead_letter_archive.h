#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "relay/attempt_record.h"
#include "relay/call_scope.h"
#include "relay/event.h"
#include "relay/status.h"

namespace relay {

// A dead letter with all that Redis keeps of it.
struct ArchivedLetter {
  uint64_t endpoint = 0;
  std::string endpoint_id;  // Of the catalog; empty when the catalog has it no more.
  int64_t died_ms = 0;      // By Redis's clock.
  Event event;
  std::vector<AttemptRecord> history;
};

// Appends `letter` as one line of JSON, with its newline: valid UTF-8 whatever the event holds. The
// names are those of `relayctl dlq list --json` where both have the same thing;
// docs/dead-letters.md lists them all. A body that is UTF-8 stands under "body", any other under
// "body_base64".
void AppendLetterLine(const ArchivedLetter& letter, std::string& out);

// Where dead letters are written before they are dropped.
class DeadLetterArchive {
 public:
  using Done = std::function<void(const Status&)>;
  virtual ~DeadLetterArchive() = default;

  // Writes `letters` and calls `done` once, never from inside this call, unless `scope` dies first.
  // OK: they are on the disk and outlive a power cut. Otherwise none of them is in the archive.
  // With no letters it only looks whether some could be written.
  virtual void Append(std::vector<ArchivedLetter> letters, const CallScope& scope, Done done) = 0;
};

}  // namespace relay

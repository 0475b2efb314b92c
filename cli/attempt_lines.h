#pragma once

#include <string>

#include "cli/attempt_walk.h"
#include "cli/event_standing.h"

namespace relay {

// Attempts and standings in words, for people and as JSON. What a receiver answered is printed
// escaped (cli/escaped_text.h), in JSON too.

// "500", or the class of failure where there was no answer: "timed_out".
std::string AttemptAnswerWord(const AttemptLogRecord& record);
// "212.3 ms".
std::string MillisText(Micros time);

// The lines under a delivery that tell of one attempt, indented.
std::string AttemptText(const AttemptLogRecord& record);
std::string AttemptJson(const LoggedAttempt& attempt, const std::string& endpoint_name);

// "retry due at ...", "dead letter since ...".
std::string KeptText(const KeptPlace& place);
std::string KeptJson(const std::string& event_id, const std::string& endpoint_name,
                     const KeptPlace& place);

}  // namespace relay

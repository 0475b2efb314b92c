#pragma once

#include <string>
#include <string_view>

#include "relay/catalog.h"
#include "relay/clock.h"
#include "relay/event.h"
#include "relay/event_facts.h"
#include "relay/json_object.h"
#include "relay/registered_room.h"

namespace relay {

// What a format is told of one attempt. Everything is borrowed for the time of the call.
struct FormatInput {
  const Event& event;
  const Endpoint& endpoint;
  const Source* source = nullptr;  // Null when it has left the catalog.
  WallTime now{};
  // "current", "stale" or "unknown" for the start and the stop of a push; empty for other events.
  std::string_view stream_verdict{};
  const RegisteredRoom* room = nullptr;  // Registered for its stream; null for none.
  std::string_view body{};               // The event's, without what the endpoint is not shown.
  const JsonObject* object = nullptr;    // That body; null when it is no JSON object that we take.
  const EventFacts* facts = nullptr;     // What it says of itself. Never null.

  std::string_view provider() const {
    return source != nullptr ? std::string_view(source->provider) : std::string_view();
  }
};

// What a format makes of it.
struct FormattedBody {
  std::string own_body;           // What is sent, where that is not the event's own body.
  bool is_own = false;            // Whether it is.
  std::string headers;            // "name: value\n" each, besides those that every delivery has.
  std::string_view content_type;  // Constant text; empty: that of the event.
};

// The text of a time, RFC 3339 in UTC with milliseconds; empty for one that has no such text (0,
// which stands for none, and what comes after the year 9999).
std::string FormattedTime(int64_t ms);
// What the event belongs to: its stream, or what else orders it; empty when that is no UTF-8.
std::string_view SubjectOf(const FormatInput& input);

}  // namespace relay

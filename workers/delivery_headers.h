#pragma once

#include <string>
#include <string_view>

#include "relay/event.h"
#include "relay/random.h"

namespace relay {

// The value of a header that the broker kept with the event, or empty. `name` is in lower case.
std::string_view KeptHeader(const Event& event, std::string_view name);

// How many relays the event has passed before this one: its relay-hops header, 0 without one.
int HopsBehind(const Event& event);

// A W3C trace context for the outgoing request: the incoming trace goes on under a new span; where
// there is none, a trace begins whose id is the event's, not sampled, since nothing was recorded.
std::string MakeTraceparent(const Event& event, Random& random);

// Appends "name: value\n". A value with a control character would end the header early or hide in a
// log: such a one is left out whole.
void AppendHeader(std::string_view name, std::string_view value, std::string& out);

}  // namespace relay

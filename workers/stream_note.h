#pragma once

#include <memory>
#include <string>

namespace relay {

// What the start or the stop of a push says of its stream, read from its body once and kept as long
// as the event is in hand.
struct StreamNote {
  bool started = false;  // Else it stopped.
  // StreamKey(); empty when the event names no stream or no sequence: then it is of no use.
  std::string key;
  std::string sequence;
};

// Null for every other event. Shared by the deliveries of an event.
using StreamNotePtr = std::shared_ptr<const StreamNote>;

}  // namespace relay

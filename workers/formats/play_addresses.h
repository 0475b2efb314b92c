#pragma once

#include <string>

#include "relay/clock.h"
#include "relay/event_facts.h"
#include "relay/play_settings.h"

namespace relay {

// A JSON object with the addresses under which the event's stream is played: "rtmp", "flv", "hls".
// With a key they are signed (relay/play_address.h) and good until `settings.valid` after `now`.
// Empty when the settings name no domain, the event no stream, or when its name cannot stand in an
// address.
std::string PlayAddresses(const PlaySettings& settings, const EventFacts& facts, WallTime now);

}  // namespace relay

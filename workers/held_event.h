#pragma once

#include <memory>

#include "relay/clock.h"
#include "relay/event.h"
#include "relay/stream_layout.h"
#include "workers/tenure.h"

namespace relay {

// An event in this worker's hands: read from its stream, or taken from a retry set.
struct HeldEvent {
  TenurePtr tenure;
  Member member;
  Event event;
  MonoTime read_at{};
};

// Shared by the deliveries of an event, because none of them knows which ends last.
using HeldEventPtr = std::shared_ptr<const HeldEvent>;

}  // namespace relay

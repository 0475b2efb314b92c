#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/redis_session.h"

namespace relay {

// One delivery of an event that Redis still keeps.
struct KeptPlace {
  uint64_t endpoint = 0;
  bool dead = false;
  int64_t at_ms = 0;  // When it is due, or when it died, by Redis's clock.
  int attempts = 0;   // Made, as the retry set counts them; 0 of a dead letter.
};

// What Redis itself knows of an event, apart from the log of its attempts.
struct EventStanding {
  const PartitionKeys* partition = nullptr;
  Member member;
  std::optional<Event> event;  // While anything is owed or dead: its payload.
  bool settled = true;         // False: no worker has decided about all its endpoints yet.
  std::vector<KeptPlace> kept;

  int64_t stored_ms() const { return member.stored_ms(); }
};

// Where an event id is claimed: for as long as its repeats are recognised Redis knows the entry
// that brought it. One place nearly always; one for each partition where its tenant has changed
// meanwhile. Empty: it is too long ago, or no worker has read it, or there is no such event.
Result<std::vector<EventStanding>> FindEvent(RedisSession& session, const std::string& event_id);

}  // namespace relay

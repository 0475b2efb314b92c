#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"

namespace relay {

// One accepted callback, as it stands in a partition's stream. The body is kept byte for byte.
struct Event {
  std::string id;      // 32 lower-case hex digits, derived: the same callback has the same id.
  std::string source;  // Source id of the catalog.
  std::string tenant;  // Tenant id of the catalog.
  std::string type;    // The provider's type as text, e.g. "100".
  std::string ordering_key;  // The stream id; empty when the provider names none.
  std::string headers;       // Kept request headers, "name: value\n" each, names in lower case.
  std::string body;
  uint64_t catalog_version = 0;  // The catalog under which it was routed.
  int64_t accepted_us = 0;       // Wall time of acceptance.
  int64_t window_ms = 0;         // For how long its repeats are recognised (the source's window).

  bool operator==(const Event&) const = default;
};

// The event id: the first 128 bits of SHA-256 over source and the provider's dedupe key, each with
// its length before it, so that no two pairs run together. Replaces what `id` holds, keeping its
// memory.
void DeriveEventId(std::string_view source, std::string_view dedupe_key, std::string& id);

// Which of `partitions` an event belongs to: by tenant and ordering key, or by tenant and event id
// where there is no ordering key. Stable for ever: it is part of the data model.
int PartitionOf(std::string_view tenant, std::string_view ordering_key, std::string_view event_id,
                int partitions);

// Appends the event's fields to an XADD: its tenant, its attributes in one, and its body; always
// all and in the same order, so that Redis stores the field names once per node of its stream
// (SAMEFIELDS). Among the attributes is a sum over all: Redis's append-only file has none, so after
// a power cut an entry that was never acknowledged may stand there with a hole in it. Such an entry
// must not be delivered, nor keep the provider's repeat from being so.
void AppendEventFields(const Event& event, RedisCommand& command);
// Reads them back from a stream entry's flat list of names and values. InvalidArgument when a field
// is missing or not as it should be, and when the sum says that this is not what was written.
Result<Event> DecodeEventFields(const RedisValue& fields);

}  // namespace relay

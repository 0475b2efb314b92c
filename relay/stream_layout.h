#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

// Every key, group and field of ours in Redis. A name that is not here is not written.
//
// All keys of a partition share one hash tag, so that they lie in one slot and a script may use
// them together: relay:{p00}:own, relay:{p00}:ev:n, ... The installation's own keys lie under
// relay:{relay}: on the first node.

// The version of this layout; a program that meets another one in `meta` does not start.
constexpr int kSchemaVersion = 3;

// Streams of events come in two classes. Only kNormal is written today; kBulk has its place in keys
// and members, because a member's first letter says in which stream its payload lies.
enum class EventClass { kNormal, kBulk };

// The consumer group of every stream of events and its only consumer: a partition has one owner, so
// the pending entries list needs no names, and a new owner finds everything under the same one.
constexpr std::string_view kGroup = "w";
constexpr std::string_view kConsumer = "w";

// Fields of an event that scripts read (relay/event.cc writes them): whose it is, and the body,
// whose length is what a tenant is charged for.
constexpr std::string_view kTenantField = "ten";
constexpr std::string_view kBodyField = "body";

// The tag of partition `index` of `partitions`: "p07" plus the shortest suffix of lower-case
// letters that puts its slot into the index-th of `partitions` equal ranges of the 16,384 slots. So
// the partitions spread evenly over 1, 2, 4, ... masters that divide `partitions`.
// Stable for ever: it is part of the data model. Requires: 0 <= index < partitions <= 1024.
std::string PartitionTag(int index, int partitions);

// The slot of Redis Cluster for a key's hash tag: CRC16 (XMODEM) modulo 16384.
int KeySlot(std::string_view tag);

// The names of one partition's keys.
struct PartitionKeys {
  int index = 0;
  std::string tag;
  std::string prefix;  // "relay:{<tag>}:"

  // STRING "<epoch> <boot> <deadline ms>": who owns the partition and until when, by Redis's clock.
  // It never expires, so that the epoch never falls.
  std::string own;
  // STREAM, group kGroup: the work queue and the only copy of the payloads. Never trimmed; an entry
  // is deleted by the script that settles its last delivery.
  std::string normal;
  std::string bulk;
  // HASH member -> its deliveries that stand in some `rz` or `dz`. Never below their true number.
  std::string ref;
  // ZSET endpoint -> the due time (ms) of its next retry; held endpoints do not stand here.
  std::string due;
  // SET of endpoints whose retries rest: paused, disabled at run time, behind an open breaker.
  std::string hold;
  // HASH of counters: settled, fan, ok, dead, dropped, repeats; fan = ok + dead + dropped +
  // pending.
  std::string counters;
  // HASH "<member>/<endpoint>" -> its last 16 attempts (relay/attempt_record.h).
  std::string history;
  // HASH "<tenant>/d" -> deliveries, "<tenant>/b" -> bytes of bodies, both of what stands in `ref`.
  std::string tenants;
  // SET of endpoints that have anything in `rz` or `dz`; it may name one too many, never one less.
  std::string owing;

  // The keys from here on stand beside the work: no transition of an event reads them, and losing
  // them loses no event. So a program that does not know them passes over them, and they came
  // without a new schema version.
  //
  // HASH StreamKey() -> which push of a live stream is the current one (relay/stream_state.h).
  std::string streams;
  // HASH 'r' or 'c' and StreamKey() -> the stream's last recording, or screenshot.
  std::string stream_media;
  // ZSET StreamKey() -> when anything was last heard of the stream, in ms: what bounds the two
  // above.
  std::string stream_age;
  // HASH RoomKey() -> a room and user registered for a stream code (relay/registered_room.h).
  std::string rooms;
  // ZSET RoomKey() -> when the registration expires, in ms by Redis's clock.
  std::string room_expiry;
  // STRING, a number that grows with every change of `rm`.
  std::string room_version;

  // ZSET of an endpoint's retries and parked deliveries: member -> due ms * 64 + attempts made.
  // A leased delivery is one whose due time lies ahead; its score is the lease's token.
  std::string Retries(uint64_t endpoint) const;
  // ZSET of an endpoint's dead letters by reference: member -> time of death in ms.
  std::string DeadLetters(uint64_t endpoint) const;
  // STRING, expiring: the stream id that claimed this event id; what makes a repeat known.
  std::string Claim(std::string_view event_id) const;
  // STREAM, trimmed by age and by bytes, expiring: the attempts made for a tenant
  // (relay/attempt_log_record.h). For people alone: no transition reads it, and losing it loses no
  // event. Written by plain XADD, so no owner's fence stands before it.
  std::string AttemptLog(std::string_view tenant) const;
  const std::string& Stream(EventClass event_class) const {
    return event_class == EventClass::kNormal ? normal : bulk;
  }

  static PartitionKeys For(int index, int partitions);
};
// The keys of all partitions, by index.
std::vector<PartitionKeys> AllPartitionKeys(int partitions);

// Names a stream entry inside its partition: 'n' or 'b' for its class, then its stream id. What
// `ref`, `rz`, `dz` and `hs` hold.
class Member {
 public:
  Member() = default;
  // Requires: a stream id "<ms>-<seq>" as Redis gave it.
  Member(EventClass event_class, std::string_view entry_id)
      : text_((event_class == EventClass::kNormal ? "n" : "b") + std::string(entry_id)) {}
  // InvalidArgument unless it is 'n' or 'b' and two numbers of at most 19 digits with '-' between.
  static Result<Member> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view entry_id() const { return std::string_view(text_).substr(1); }
  EventClass event_class() const {
    return text_.front() == 'n' ? EventClass::kNormal : EventClass::kBulk;
  }
  // The Redis time (ms) of the entry's storing: the first part of its id.
  int64_t stored_ms() const;

  auto operator<=>(const Member&) const = default;

 private:
  std::string text_;
};

// Scores of `rz`: due time and attempts in one number that a double holds exactly until the year
// 6400.
constexpr int kAttemptsPerScore = 64;
constexpr int64_t ScoreOf(int64_t due_ms, int attempts) {
  return due_ms * kAttemptsPerScore + attempts;
}
constexpr int64_t DueOfScore(int64_t score) {
  return score / kAttemptsPerScore;
}
constexpr int AttemptsOfScore(int64_t score) {
  return static_cast<int>(score % kAttemptsPerScore);
}

// The installation's keys.
//
// HASH: schema version, number of partitions, id of the secrets' key. Written once, at install.
constexpr std::string_view kMetaKey = "relay:{relay}:meta";
// STRING: run id of the server process that was last told to rewrite its append-only file, where
// its `aof-load-truncated` makes that needful (relay/redis_safety.h).
constexpr std::string_view kRewrittenKey = "relay:{relay}:rewritten";
// HASH: the catalog's version, its manifest (relay/catalog_json.h), and the next free endpoint
// number.
constexpr std::string_view kCatalogKey = "relay:{relay}:catalog";
// HASH digest -> the text of one part of the tenants. A text never changes; those that the manifest
// does not name are left of an apply that did not come to its end.
constexpr std::string_view kCatalogPartsKey = "relay:{relay}:catalog:parts";
// STREAM, capped: one entry a change of the catalog or of an endpoint's run-time state.
constexpr std::string_view kCatalogChangesKey = "relay:{relay}:catalog:changes";
// HASH endpoint number -> its run-time state (disabled, paused, reason, since).
constexpr std::string_view kEndpointStateKey = "relay:{relay}:endpoint_state";
// ZSET "<boot> <name>" of a worker -> when it last said that it lives, in ms by Redis's clock.
constexpr std::string_view kWorkersKey = "relay:{relay}:workers";
// HASH, expiring: an endpoint's permits by worker, its rate and its breaker
// (relay/scripts/lane.lua). Losing it lets an endpoint be sent more for a while, and loses no
// event.
std::string LaneKey(uint64_t endpoint);
// HASH partition -> "<age> <bytes>": how many dead letters its owner last found beyond each limit
// of conf's [dlq], where there are any. For people alone.
constexpr std::string_view kOverLimitKey = "relay:{relay}:over_limit";
// STREAM, capped: authentic callbacks that belong to no tenant.
constexpr std::string_view kUnroutedKey = "relay:{relay}:unrouted";
// STREAM, capped: the last refusals of brokers, with source and reason.
constexpr std::string_view kRefusedKey = "relay:{relay}:refused";

}  // namespace relay

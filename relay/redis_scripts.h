#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/event.h"
#include "relay/redis_client.h"
#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"
#include "relay/stream_layout.h"

namespace relay {

// The transitions of an event's life in Redis: the one place where work is put down, moved or
// released. This header has what a broker and a worker do with single events; redis_ownership.h has
// whose a partition is, redis_upkeep.h what is done to whole endpoints and partitions. The scripts'
// own texts are relay/scripts/*.lua.
//
// The rule that every script keeps: validate all arguments before the first write; then write
// obligations (what must still be done), then release (members, payload, count), the counters last.
// Redis does not roll back a script that fails half way; with this order such a script leaves work
// that is done twice, never work that is forgotten.
//
// Every script of an owner carries its token and changes nothing when the partition has another
// owner by now: its reply is then kConflict ("STALE").

// A script with its keys and arguments: client.Eval(*call.script, call.keys, call.args, ...).
struct ScriptCall {
  const RedisScript* script = nullptr;
  std::vector<std::string> keys;
  std::vector<std::string> args;
};

// All scripts of this library, for RedisConnection to load on every connect.
std::vector<const RedisScript*> AllScripts();

// An error of Redis as a Status: STALE is kConflict, BADARG and WRONGTYPE are kInternal (ours to
// mend), everything else is kUnavailable. Requires: value.is_error().
Status StatusOfError(const RedisValue& value);

// Bounds of a call, so that none holds Redis for longer than some milliseconds.
constexpr size_t kSettleEntriesMax = 200;
constexpr size_t kSettleDeliveriesMax = 1000;  // Chunks of 200 keep a call near 3 ms.
constexpr size_t kResolveMax = 200;
constexpr int kTakeMax = 200;

// Who owns a partition: what every other script is handed. The boot id keeps two owners with the
// same epoch apart after Redis has lost the tail of its log.
struct OwnerToken {
  uint64_t epoch = 0;
  std::string boot;  // [A-Za-z0-9-]{1,40}
  std::string text() const { return std::to_string(epoch) + " " + boot; }
  bool operator==(const OwnerToken&) const = default;
};

// ---- Store and read: plain commands, so that a full Redis refuses the first and not the second.

RedisCommand StoreEvent(const PartitionKeys& keys, const Event& event);
// The same in the memory of `command`, whatever that was before.
void StoreEvent(const PartitionKeys& keys, const Event& event, RedisCommand& command);
Result<Member> ParseStored(const RedisValue& reply);
// Takes an entry out of the stream of unrouted events, once its event is stored in a partition.
RedisCommand ForgetUnrouted(std::string_view entry_id);
// Creates the groups of the partition's streams (and the streams) where they are missing, in a full
// Redis as well. Replies with their number.
ScriptCall CreateGroups(const PartitionKeys& keys);
// Asks for at most `count` new entries of EACH stream, waiting up to `block` (zero: not at all).
RedisCommand ReadEvents(std::span<const std::string> streams, int count, Millis block);
// A page of the pending entries list: ids greater than `after` ("0": from the beginning).
RedisCommand ReadPending(const std::string& stream, std::string_view after, int count);

struct StreamEntry {
  Member member;
  Result<Event> event;  // NotFound: its payload is gone; InvalidArgument: it cannot be decoded.
};
struct StreamBatch {
  std::string stream;
  std::vector<StreamEntry> entries;
};
// Of ReadEvents and ReadPending. Empty when there was nothing.
Result<std::vector<StreamBatch>> ParseRead(const RedisValue& reply);

// Claims an event id for a stream entry, for as long as repeats are recognised.
RedisCommand ClaimEventId(const PartitionKeys& keys, std::string_view event_id,
                          const Member& member, Millis window);
// True: `member` holds the claim. False: an earlier entry does, so this one is a repeat.
Result<bool> ParseClaim(const RedisValue& reply, const Member& member);

// ---- Settle: the end of an entry's stay on the pending entries list.

// A delivery that lives on after its entry is settled.
struct OwedDelivery {
  enum class State { kPending, kDead };
  uint64_t endpoint = 0;
  State state = State::kPending;
  Millis delay{0};     // kPending: due this long after Redis's now; also the lease of a soft split.
  int attempts = 0;    // Made so far.
  std::string record;  // Of the last attempt (EncodeAttempt); empty: none was made.
};
struct Settlement {
  enum class Kind {
    kLast,    // Acknowledge; with nothing owed the payload is released.
    kChunk,   // Only write what is owed: another call follows and acknowledges.
    kRepeat,  // As kLast, with nothing owed; counted as a repeat.
  };
  Member member;
  Kind kind = Kind::kLast;
  std::string tenant;
  int64_t body_bytes = 0;
  int accepted = 0;  // Deliveries that succeeded and are told by this call.
  std::vector<OwedDelivery> owed;
};
// Requires: at most kSettleEntriesMax entries and kSettleDeliveriesMax owed; no member twice, no
// endpoint twice in an entry. An entry that is no longer pending is left alone (not won).
ScriptCall Settle(const PartitionKeys& keys, const OwnerToken& owner,
                  std::span<const Settlement> entries);
struct WonReply {
  int64_t now_ms = 0;     // Redis's time: a soft split's token is ScoreOf(now + delay, attempts).
  std::vector<bool> won;  // One for each entry or item, in order.
};
Result<WonReply> ParseSettle(const RedisValue& reply);

// Settle for entries that owe nothing: a quarter of its cost. `owed` must be empty, kind kLast or
// kRepeat.
ScriptCall Done(const PartitionKeys& keys, const OwnerToken& owner,
                std::span<const Settlement> entries);
Result<std::vector<bool>> ParseDone(const RedisValue& reply);

// ---- Retries.

// The endpoints that are due next: ZRANGE of the index, the earliest first.
RedisCommand NextDue(const PartitionKeys& keys, int count);
struct DueEndpoint {
  uint64_t endpoint = 0;
  int64_t due_ms = 0;  // By Redis's clock.
};
Result<std::vector<DueEndpoint>> ParseDue(const RedisValue& reply);

// Leases up to `count` (<= kTakeMax) due deliveries of one endpoint and returns their payloads, no
// more than `bytes_max` of them (but always one). Of a held endpoint only with `probe`.
ScriptCall Take(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint, int count,
                Millis lease, int64_t bytes_max, bool probe = false);
// The same whether the endpoint is held or not, but of the `count` that are due first only those
// whose event was stored before `stored_before_ms` (Redis's clock): costs little when none was.
ScriptCall TakeOld(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint, int count,
                   Millis lease, int64_t bytes_max, int64_t stored_before_ms);
struct TakenDelivery {
  Member member;
  int64_t token = 0;
  int attempts = 0;     // Made before this one.
  Result<Event> event;  // NotFound: payload gone (a broken invariant); drop the delivery.
};
struct TakeReply {
  int64_t now_ms = 0;
  std::vector<TakenDelivery> deliveries;
};
Result<TakeReply> ParseTake(const RedisValue& reply);

// What became of one leased delivery.
struct Resolution {
  enum class Kind {
    kOk,
    kFail,  // Due again after `delay`, one attempt more.
    kPark,  // The same without counting an attempt.
    kDead,
    kDrop,  // Nobody wants it any more (its endpoint is gone).
  };
  Member member;
  uint64_t endpoint = 0;
  int64_t token = 0;
  Kind kind = Kind::kOk;
  Millis delay{0};
  std::string record;
  std::string tenant;
  int64_t body_bytes = 0;
};
// Requires: at most kResolveMax; no (member, endpoint) twice. A success counts under any token,
// everything else only while the lease is still ours.
ScriptCall Resolve(const PartitionKeys& keys, const OwnerToken& owner,
                   std::span<const Resolution> items);
Result<WonReply> ParseResolve(const RedisValue& reply);

}  // namespace relay

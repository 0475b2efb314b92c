#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/redis_scripts.h"

namespace relay {

// What is done to whole endpoints and partitions: dead letters put back or thrown away, retries
// held and released, and the books checked and mended. The rule and the error codes of
// redis_scripts.h hold here as well.

// ---- Endpoints.

constexpr int kRedriveMax = 1000;
constexpr int kPurgeMax = 200;

// Puts dead letters back as retries that are due now, with no attempt counted: of those that died
// from `from_ms` to `to_ms` (both included, Redis's clock) the oldest `count` <= kRedriveMax.
ScriptCall RedriveRange(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                        int64_t from_ms, int64_t to_ms, int count);
// The same for named ones; at most kRedriveMax. Those that are not dead are passed over.
ScriptCall RedriveMembers(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                          std::span<const Member> members);
// How many were put back.
Result<int64_t> ParseRedrive(const RedisValue& reply);

enum class PurgeScope { kDeadLetters, kRetries, kDeadLettersAndRetries };
// For `tenant`, where the catalog has the endpoint no more: its events say whose they are.
inline constexpr std::string_view kTenantOfEvents = "-";
// Throws away up to `count` <= kPurgeMax deliveries of `tenant`'s endpoint, counted as dropped.
// Retries go in the order of their due times, those that are leased among them. Call again while
// the reply says that there may be more.
ScriptCall Purge(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                 const std::string& tenant, PurgeScope scope, int count);
// The same for named dead letters; at most kPurgeMax.
ScriptCall PurgeMembers(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint,
                        const std::string& tenant, std::span<const Member> members);
struct PurgeReply {
  std::vector<Member> dropped;
  bool more = false;  // Call again: always true until a call finds nothing left.
};
Result<PurgeReply> ParsePurge(const RedisValue& reply);

// Lets an endpoint's retries rest, or come due again. Repeating either changes nothing.
ScriptCall Hold(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint);
ScriptCall Release(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint);
Result<bool> ParseHold(const RedisValue& reply);  // True: this call changed it.

// ---- Upkeep of a partition. PartitionSweep (relay/partition_sweep.h) runs these in order.

// SMEMBERS eps: the endpoints that owe, which the calls below are to be given.
RedisCommand ListOwing(const PartitionKeys& keys);
Result<std::vector<uint64_t>> ParseEndpoints(const RedisValue& reply);

// Puts entries that were read, are not pending and are owed to nobody back on the pending list: at
// most `count` <= 200 entries are looked at, from `cursor` ("-": from the beginning).
ScriptCall RequeueOrphans(const PartitionKeys& keys, const OwnerToken& owner,
                          EventClass event_class, std::string_view cursor, int count);
struct OrphansReply {
  std::string cursor;  // Empty: done.
  std::vector<Member> requeued;
};
Result<OrphansReply> ParseOrphans(const RedisValue& reply);

// Mends the index of due endpoints and `eps`, counts the deliveries of `endpoints` and writes the
// counters anew, in one indivisible step. kConflict text "MORE" when `endpoints` lacks one of
// `eps`: list again.
ScriptCall Recount(const PartitionKeys& keys, const OwnerToken& owner,
                   std::span<const uint64_t> endpoints);
struct RecountReply {
  int64_t owed = 0;     // Sum of `ref`.
  int64_t retries = 0;  // Members of all `rz`.
  int64_t dead = 0;     // Members of all `dz`.
  int64_t charged = 0;  // Sum of the tenants' deliveries.
  int64_t mended = 0;   // Index entries, `eps` members and counters that were wrong.
};
Result<RecountReply> ParseRecount(const RedisValue& reply);

// Makes `ref` of the given members (at most 200, and members x endpoints <= 20,000 unless it is one
// member) the number of their deliveries. Needed when RecountReply::owed != retries + dead.
ScriptCall RecountOwed(const PartitionKeys& keys, const OwnerToken& owner,
                       std::span<const uint64_t> endpoints, std::span<const Member> members);
struct OwedReply {
  int64_t mended = 0;
  std::vector<Member> requeued;         // Owed to nobody: back on the pending list.
  std::vector<Member> without_payload;  // Owed, but the payload is gone: drop them.
};
Result<OwedReply> ParseRecountOwed(const RedisValue& reply);
// A page of `ref` ("0" first), and the payload of one of its members.
RedisCommand ScanOwed(const PartitionKeys& keys, std::string_view cursor, int count);
struct OwedMember {
  Member member;
  int64_t deliveries = 0;
};
struct OwedPage {
  std::string cursor;               // "0": done.
  std::vector<OwedMember> members;  // One may come twice.
};
Result<OwedPage> ParseOwedPage(const RedisValue& reply);
RedisCommand ReadPayload(const PartitionKeys& keys, const Member& member);
Result<Event> ParsePayload(const RedisValue& reply);  // NotFound: it is gone.

// Counters of one partition as they stand.
struct PartitionCounters {
  int64_t settled = 0, fan = 0, ok = 0, dead = 0, dropped = 0, repeats = 0;
  int64_t pending() const { return fan - ok - dead - dropped; }
};
RedisCommand ReadCounters(const PartitionKeys& keys);
Result<PartitionCounters> ParseCounters(const RedisValue& reply);

// What each of `tenants` is charged in a partition: an array of deliveries and bytes of the first,
// of the second, and so on; nil for nothing.
RedisCommand ReadCharges(const PartitionKeys& keys, std::span<const std::string> tenants);
// How many deliveries wait for an endpoint in a partition: a number.
RedisCommand CountWaiting(const PartitionKeys& keys, uint64_t endpoint);

// Writes what tenants are charged, unless a counter has moved since `seen`, which was read before
// the totals were gathered.
struct TenantCharge {
  int64_t deliveries = 0;
  int64_t bytes = 0;
};
ScriptCall RewriteCharges(const PartitionKeys& keys, const OwnerToken& owner,
                          const PartitionCounters& seen,
                          const std::map<std::string, TenantCharge>& charges);
Result<bool> ParseRewriteCharges(const RedisValue& reply);  // False: something moved meanwhile.

// Deletes the history of deliveries that are neither pending nor dead, a page at a time ("0"
// first).
ScriptCall PruneHistory(const PartitionKeys& keys, const OwnerToken& owner,
                        std::span<const uint64_t> endpoints, std::string_view cursor, int count);
struct PruneReply {
  std::string cursor;  // "0": done.
  int64_t deleted = 0;
};
Result<PruneReply> ParsePrune(const RedisValue& reply);

// ---- Books.

// Checks a partition's invariants at one instant, changing nothing and needing no token.
// `endpoints` must contain all of `eps`; at most `payloads_max` payloads are looked up.
ScriptCall Fsck(const PartitionKeys& keys, std::span<const uint64_t> endpoints, int payloads_max);
struct FsckReply {
  std::vector<uint64_t> more;             // Not empty: `eps` has grown by these; call again.
  std::map<std::string, int64_t> counts;  // By name: accepted, settled, pending, unread, ...
  std::vector<std::string> breaches;      // At most 50 sentences.
  int64_t breaches_total = 0;
};
Result<FsckReply> ParseFsck(const RedisValue& reply);

}  // namespace relay

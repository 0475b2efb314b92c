#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/redis_client.h"
#include "relay/redis_upkeep.h"

namespace relay {

// What a sweep found and mended. All zero on a healthy partition.
struct SweepReport {
  int64_t requeued = 0;         // Entries put back on the pending entries list.
  int64_t owed_mended = 0;      // Members of `ref` whose number was wrong.
  int64_t without_payload = 0;  // Deliveries whose payload is gone; must be 0.
  int64_t index_mended = 0;     // Index entries, `eps` members and counters.
  int64_t history_deleted = 0;
  bool charges_rewritten = false;  // What tenants are charged was wrong.
};

// Mends a partition after a script has failed half way: orphans are re-queued, the counts and
// counters are made true again. The owner runs it at take-over and every few minutes, `relayctl
// fsck --repair` on request. On a healthy partition it costs a page of reads for every 200 owed
// entries and a few milliseconds of Redis, never a long call.
//
// The slow steps run only when the sums disagree or `deep` asks: a member's number is never below
// its deliveries, so equal sums mean equal members.
//
// `redis` outlives it. Destroying it stops it between two calls. Loop thread only.
class PartitionSweep {
 public:
  using Done = std::function<void(Result<SweepReport>)>;
  PartitionSweep(RedisClient& redis, PartitionKeys keys, OwnerToken owner);

  // Calls `done` once, never from inside this call; kConflict means that the token is stale. What
  // was mended before a failure stays mended. Requires: not running already.
  void Start(bool deep, Done done);

 private:
  // What a step does with its reply: each is OK, or why the sweep ends here.
  using Step = Status (PartitionSweep::*)(const RedisValue& reply);
  void Send(const RedisCommand& command, Step step);
  void Eval(const ScriptCall& call, Step step);
  void OnReply(const Result<RedisValue>& reply, Step step);

  // In this order; the steps from List to OnCounted run twice when `ref` was recounted.
  void Requeue();
  Status OnRequeued(const RedisValue& reply);
  void List();
  Status OnListed(const RedisValue& reply);
  Status OnCounted(const RedisValue& reply);
  void Scan(Step step);
  Status OnScanned(const RedisValue& reply);
  void RecountNext();
  Status OnRecounted(const RedisValue& reply);
  Status OnCountersRead(const RedisValue& reply);
  Status OnScannedForCharges(const RedisValue& reply);
  void ReadNextPayload();
  Status OnPayload(const RedisValue& reply);
  Status OnChargesWritten(const RedisValue& reply);
  void Prune();
  Status OnPruned(const RedisValue& reply);
  void Finish(Result<SweepReport> result);

  RedisClient& redis_;
  const PartitionKeys keys_;
  const OwnerToken owner_;
  Done done_;
  SweepReport report_;
  bool deep_ = false;
  bool recounted_ = false;
  int listings_ = 0;
  std::vector<uint64_t> endpoints_;
  EventClass event_class_ = EventClass::kNormal;
  std::string cursor_;
  std::vector<OwedMember> page_;  // Of `ref`; worked off from its end.
  // For the tenants' charges.
  PartitionCounters counters_seen_;
  std::map<std::string, TenantCharge> charges_;
  std::set<Member> charged_;
  CallScope scope_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <functional>
#include <map>
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
  bool charges_rewritten = false;
};

// Mends a partition after a script has failed half way: orphans are re-queued, the counts and
// counters are made true again. The owner runs it at take-over and every few minutes, `relayctl
// fsck
// --repair` on request. On a healthy partition it costs a page of reads for every 200 owed entries
// and a few milliseconds of Redis, never a long call.
//
// The slow step, recounting `ref` member by member, runs only when the sums disagree or `deep`
// asks: a member's number is never below its deliveries, so equal sums mean equal members.
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
  enum class State { kIdle, kListing, kOrphans, kCounting, kScanning, kOwed, kCharges, kHistory };
  void Send(const RedisCommand& command, void (PartitionSweep::*on_reply)(const RedisValue&));
  void Eval(const ScriptCall& call, void (PartitionSweep::*on_reply)(const RedisValue&));
  void OnReply(Result<RedisValue> reply, void (PartitionSweep::*next)(const RedisValue&));
  void List();
  void OnListed(const RedisValue& reply);
  void Requeue();
  void OnRequeued(const RedisValue& reply);
  void Count();
  void OnCounted(const RedisValue& reply);
  void Scan();
  void OnScanned(const RedisValue& reply);
  void RecountNext();
  void OnRecounted(const RedisValue& reply);
  void GatherCharges();
  void OnCountersRead(const RedisValue& reply);
  void ReadPayloads();
  void OnPayload(const RedisValue& reply);
  void OnChargesWritten(const RedisValue& reply);
  void Prune();
  void OnPruned(const RedisValue& reply);
  void Finish(Result<SweepReport> result);

  RedisClient& redis_;
  const PartitionKeys keys_;
  const OwnerToken owner_;
  State state_ = State::kIdle;
  bool deep_ = false;
  bool recounted_ = false;
  Done done_;
  SweepReport report_;
  std::vector<uint64_t> endpoints_;
  EventClass event_class_ = EventClass::kNormal;
  std::string cursor_;
  std::vector<Member> page_;
  std::vector<std::string> counters_seen_;
  std::map<std::string, TenantCharge> charges_;
  CallScope scope_;
};

}  // namespace relay

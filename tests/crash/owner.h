#pragma once

#include <string>
#include <vector>

#include "relay/partition_sweep.h"
#include "relay/redis_ownership.h"
#include "relay/redis_upkeep.h"
#include "tests/crash/crash_redis.h"
#include "tests/crash/model.h"

namespace relay {

// A worker's half of one partition, acting at random and forgetting often. It goes on acting after
// it has lost the partition without noticing (Freeze), which is what the epoch is there for.
class CrashOwner {
 public:
  CrashOwner(std::string boot, const PartitionKeys& keys, CrashRedis& redis, Model& model,
             Random& random)
      : boot_(std::move(boot)), keys_(keys), redis_(redis), model_(model), random_(random) {}

  // Takes the partition if it can be had, and what a new owner does: create the group, sweep, page
  // the pending list. False: another one has it.
  bool TakeOver();
  void Renew();
  void GiveBack();
  // Goes on for so many steps without renewing, believing that it owns.
  void Freeze(int steps) { frozen_ = steps; }
  // What a restart of the process, or of Redis, does to it.
  void Forget();
  bool owns() const { return owner_.epoch != 0; }
  const OwnerToken& token() const { return owner_; }

  // One action drawn at random.
  void Act();
  // A call that would change something, built and not sent: for bursts whose replies nobody reads.
  // What it would deliver or drop counts as delivered or dropped.
  ScriptCall BuildCall();
  // Settles and resolves everything as accepted, until nothing is pending or due: the quiet end.
  // Retries are found through the index alone. False: something is left that never comes due.
  bool DrainThroughIndex();
  void Sweep(bool deep);
  const SweepReport& swept() const { return swept_; }

 private:
  struct Held {
    Member member;
    int number = 0;
    std::vector<uint64_t> undecided;
    bool repeat = false;
  };
  struct Lease {
    Member member;
    int number = 0;
    uint64_t endpoint = 0;
    int64_t token = 0;
  };
  // A soft split's lease whose token needs the reply's `now`.
  struct Split {
    size_t entry = 0;
    Lease lease;
    Millis delay{0};
  };

  Settlement Decide(Held& held, bool accept_all, std::vector<Split>& splits, size_t entry);
  OwedDelivery Owe(const Held& held, uint64_t endpoint, std::vector<Split>& splits, size_t entry);
  size_t Read();
  void Claim(std::vector<StreamEntry> entries);
  void PagePending();
  void SettleSome(size_t count, bool accept_all);
  void Take(uint64_t endpoint, int count, bool probe);
  void TakeDue(int count);
  Resolution ResolutionOf(const Lease& lease, bool accept_all);
  void ResolveSome(size_t count, bool accept_all);
  void Redrive();
  void PurgeSome();
  void HoldOrRelease();
  // Sends it, and keeps it for being sent again, at once or late.
  RedisValue RunTwiceMaybe(ScriptCall call);
  void RepeatOld();
  uint64_t AnyEndpoint() { return 1 + random_.Below(Model::kEndpoints); }
  std::string TenantOf(int number) const { return model_.EventOf(number).tenant; }
  int64_t BytesOf(int number) const {
    return static_cast<int64_t>(model_.EventOf(number).body.size());
  }

  const std::string boot_;
  const PartitionKeys& keys_;
  CrashRedis& redis_;
  Model& model_;
  Random& random_;
  OwnerToken owner_;
  int frozen_ = 0;
  std::vector<Held> held_;
  std::vector<Lease> leases_;
  std::vector<ScriptCall> old_calls_;
  SweepReport swept_;
};

}  // namespace relay

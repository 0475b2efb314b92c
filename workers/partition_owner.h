#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/random.h"
#include "relay/redis_client.h"
#include "workers/partition_recovery.h"
#include "workers/tenure.h"

namespace relay {

// Which partitions this worker owns: takes free ones up to its fair share, renews their leases,
// gives back what is over its share, and lets go at once of what it may have lost.
//
// Guarantee: a tenure is over on this side before its lease can have run out on Redis's side
// (kStopAfter < kLease, both counted from when the last successful renewal was sent). The token in
// every script is the wall behind that, should this process have been frozen.
//
// The life of one partition here:
//
//   free --take--> recovering --swept--> owned --over the share, or leaving--> returning
//     ^               |                   |                                      | GiveBack()
//     +--- ended <----+---- lease lost, STALE, another Redis process ------------+
//
// The roll of live workers decides only how many partitions each should own; what a worker may do
// is decided by its leases. So a wrong roll costs balance and nothing else.
//
// `boot_id` differs for each start of a process, `name` is for people. All references outlive the
// owner. Loop thread only.
class PartitionOwner {
 public:
  static constexpr Millis kLease{5000};
  static constexpr Millis kRenewEvery{1000};
  static constexpr Millis kStopAfter{4000};
  // A worker that was silent for so long no longer counts for the shares.
  static constexpr Millis kSilence{5000};
  // How often leases are looked at, between renewals.
  static constexpr Millis kTick{250};

  // None of them is called from inside a call into the owner.
  struct Events {
    // The partition is ours and swept: adopt its pending list, then read.
    std::function<void(const TenurePtr&)> on_gained;
    // It is to be given back: start nothing new, finish, then call GiveBack().
    std::function<void(const TenurePtr&)> on_returning;
    // tenure->over is set: drop everything that is held under it. Comes once for each on_gained.
    std::function<void(const TenurePtr&)> on_ended;
  };

  PartitionOwner(EventLoop& loop, RedisClient& redis, Random& random, Log& log, std::string boot_id,
                 std::string name, int partitions, Events events);

  // Takes partitions from now on.
  void Start();
  // A script answered STALE, or its books do not fit: somebody else owns the partition now.
  void ReportLost(const TenurePtr& tenure);
  // Everything under a returning tenure is done.
  void GiveBack(const TenurePtr& tenure);
  // Takes no more; returns all partitions, and this worker leaves the roll. `on_all_returned` comes
  // when none is left.
  void Leave(std::function<void()> on_all_returned);

  int owned() const;  // owned and returning
  int share() const { return share_; }
  // Workers that live, this one included; at least 1.
  int live_workers() const { return live_workers_; }
  const std::string& boot_id() const { return boot_id_; }

 private:
  enum class State { kFree, kTaking, kRecovering, kOwned, kReturning, kGiving };
  struct Slot {
    State state = State::kFree;
    PartitionKeys keys;
    TenurePtr tenure;
    MonoTime renewed_at{};  // When the last renewal that succeeded was sent.
    std::unique_ptr<PartitionRecovery> recovery;
  };

  void OnTick();
  void OnConnectionChange();
  void ExpireLeases();
  void Beat();
  void OnRoll(const Result<RedisValue>& reply);
  void RenewAll();
  void OnRenewed(const TenurePtr& tenure, MonoTime sent_at, const Result<RedisValue>& reply);
  void TakeMore();
  void OnTaken(int partition, MonoTime sent_at, const Result<RedisValue>& reply);
  void OnRecovered(const TenurePtr& tenure, const Status& status);
  void ReturnExcess();
  void Return(Slot& slot);
  void ReturnAll();
  void OnGiven(const TenurePtr& tenure);
  void End(Slot& slot, const char* why);
  void MaybeAllReturned();
  void Later(std::function<void()> call);
  Slot* SlotOf(const TenurePtr& tenure);
  int Count(State state) const;

  EventLoop& loop_;
  RedisClient& redis_;
  Random& random_;
  Log& log_;
  const std::string boot_id_;
  const std::string heartbeat_;  // "<boot id> <name>"
  const Events events_;
  std::vector<Slot> slots_;  // By partition.
  int share_ = 0;
  int live_workers_ = 1;
  int rolls_over_share_ = 0;     // In a row.
  std::vector<int> candidates_;  // Still to be tried in this round of taking.
  MonoTime next_beat_{};
  bool leaving_ = false;
  std::function<void()> on_all_returned_;
  std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

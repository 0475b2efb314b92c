#include "workers/partition_owner.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"
#include "relay/redis_ownership.h"
#include "workers/fair_share.h"

namespace relay {

PartitionOwner::PartitionOwner(EventLoop& loop, RedisClient& redis, Random& random, Log& log,
                               std::string boot_id, std::string name, int partitions, Events events)
    : loop_(loop),
      redis_(redis),
      random_(random),
      log_(log),
      boot_id_(std::move(boot_id)),
      heartbeat_(boot_id_ + " " + std::move(name)),
      events_(std::move(events)),
      slots_(static_cast<size_t>(partitions)),
      timer_(loop.NewTimer([this] { OnTick(); })) {
  for (int i = 0; i < partitions; ++i) {
    slots_[static_cast<size_t>(i)].keys = PartitionKeys::For(i, partitions);
  }
}

void PartitionOwner::Start() {
  redis_.WatchState(scope_, [this] { OnConnectionChange(); });
  timer_->Arm(Micros(0));
}

void PartitionOwner::OnConnectionChange() {
  if (!redis_.up()) return;
  for (Slot& slot : slots_) {
    // Stream ids may be given out anew by another process; what was read from the old one is void.
    if (slot.tenure && slot.tenure->run_id != redis_.run_id()) End(slot, "redis_restarted");
  }
  next_beat_ = loop_.clock().Now();
  timer_->Arm(Micros(0));
}

void PartitionOwner::OnTick() {
  timer_->Arm(kTick);
  ExpireLeases();
  const MonoTime now = loop_.clock().Now();
  if (!redis_.up() || now < next_beat_) return;
  next_beat_ = now + kRenewEvery;
  RenewAll();
  Beat();
}

void PartitionOwner::ExpireLeases() {
  const MonoTime now = loop_.clock().Now();
  for (Slot& slot : slots_) {
    if (slot.tenure && now - slot.renewed_at > kStopAfter) End(slot, "lease_not_renewed");
  }
}

void PartitionOwner::Beat() {
  if (leaving_) return;
  const ScriptCall call = Heartbeat(heartbeat_, kSilence);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this](const Result<RedisValue>& reply) { OnRoll(reply); });
}

void PartitionOwner::OnRoll(const Result<RedisValue>& reply) {
  if (!reply.ok() || leaving_) return;
  const Result<std::vector<std::string>> roll = ParseHeartbeat(*reply);
  if (!roll.ok()) {
    log_.Warning("heartbeat_failed", "the roll of workers cannot be read",
                 {{"error", roll.status().ToString()}});
    return;
  }
  const int partitions = static_cast<int>(slots_.size());
  live_workers_ = std::max<int>(1, static_cast<int>(roll->size()));
  share_ = FairShare(*roll, heartbeat_, partitions);
  // One roll may catch a worker between two of its heartbeats; nothing is given back for that.
  rolls_over_share_ = Count(State::kOwned) > share_ ? rolls_over_share_ + 1 : 0;
  if (rolls_over_share_ >= 2) ReturnExcess();

  candidates_.clear();
  for (int i = 0; i < partitions; ++i) {
    if (slots_[static_cast<size_t>(i)].state == State::kFree) candidates_.push_back(i);
  }
  // Workers that start together would otherwise fight for the same partitions in the same order.
  for (size_t i = candidates_.size(); i > 1; --i) {
    std::swap(candidates_[i - 1], candidates_[random_.Below(i)]);
  }
  TakeMore();
}

void PartitionOwner::RenewAll() {
  const MonoTime sent_at = loop_.clock().Now();
  for (Slot& slot : slots_) {
    if (!slot.tenure || slot.state == State::kGiving) continue;
    const ScriptCall call = RenewOwnership(slot.keys, slot.tenure->owner, kLease);
    redis_.Eval(*call.script, call.keys, call.args, scope_,
                [this, tenure = slot.tenure, sent_at](const Result<RedisValue>& reply) {
                  OnRenewed(tenure, sent_at, reply);
                });
  }
}

void PartitionOwner::OnRenewed(const TenurePtr& tenure, MonoTime sent_at,
                               const Result<RedisValue>& reply) {
  Slot* slot = SlotOf(tenure);
  if (!slot || !reply.ok()) return;  // Without a reply the lease's own end decides.
  const Result<OwnReply> own = ParseOwn(*reply);
  if (!own.ok()) {
    log_.Warning("renewal_failed", "a lease was not renewed",
                 {{"partition", tenure->partition}, {"error", own.status().ToString()}});
    return;
  }
  if (!own->won) return End(*slot, "lease_lost");
  slot->renewed_at = std::max(slot->renewed_at, sent_at);
}

void PartitionOwner::TakeMore() {
  const MonoTime sent_at = loop_.clock().Now();
  int held = static_cast<int>(slots_.size()) - Count(State::kFree) - Count(State::kReturning) -
             Count(State::kGiving);
  while (!leaving_ && held < share_ && !candidates_.empty()) {
    const int partition = candidates_.back();
    candidates_.pop_back();
    Slot& slot = slots_[static_cast<size_t>(partition)];
    if (slot.state != State::kFree) continue;
    slot.state = State::kTaking;
    ++held;
    const ScriptCall call = TakeOwnership(slot.keys, boot_id_, kLease);
    redis_.Eval(*call.script, call.keys, call.args, scope_,
                [this, partition, sent_at](const Result<RedisValue>& reply) {
                  OnTaken(partition, sent_at, reply);
                });
  }
}

void PartitionOwner::OnTaken(int partition, MonoTime sent_at, const Result<RedisValue>& reply) {
  Slot& slot = slots_[static_cast<size_t>(partition)];
  RELAY_CHECK(slot.state == State::kTaking);
  slot.state = State::kFree;
  const Result<OwnReply> own = reply.ok() ? ParseOwn(*reply) : Result<OwnReply>(reply.status());
  if (!own.ok() || !own->won) {
    // Somebody else's; the next one of this round, if any is left.
    if (own.ok()) TakeMore();
    return MaybeAllReturned();
  }
  slot.tenure = std::make_shared<Tenure>(Tenure{.partition = partition,
                                                .keys = slot.keys,
                                                .owner = {own->epoch, boot_id_},
                                                .run_id = redis_.run_id()});
  slot.renewed_at = sent_at;
  if (leaving_) {
    slot.state = State::kReturning;
    return GiveBack(slot.tenure);
  }
  slot.state = State::kRecovering;
  slot.recovery = std::make_unique<PartitionRecovery>(
      redis_, log_, slot.tenure,
      [this, tenure = slot.tenure](const Status& status) { OnRecovered(tenure, status); });
  slot.recovery->Start();
}

void PartitionOwner::OnRecovered(const TenurePtr& tenure, const Status& status) {
  Slot* slot = SlotOf(tenure);
  if (!slot) return;
  RELAY_CHECK(slot->state == State::kRecovering);
  loop_.DeferDelete(std::move(slot->recovery));
  if (!status.ok()) {
    log_.Warning("recovery_failed", "a partition that was taken could not be swept",
                 {{"partition", tenure->partition}, {"error", status.ToString()}});
    if (status.code() == StatusCode::kConflict) return End(*slot, "lease_lost");
    slot->state = State::kReturning;
    return GiveBack(tenure);
  }
  slot->state = State::kOwned;
  log_.Info("partition_owned", "took a partition",
            {{"partition", tenure->partition}, {"epoch", tenure->owner.epoch}});
  tenure->gained = true;
  events_.on_gained(tenure);
}

void PartitionOwner::ReportLost(const TenurePtr& tenure) {
  Slot* slot = SlotOf(tenure);
  if (!slot) return;
  // The reporter is in the middle of a reply; it learns of the end like everybody else.
  Later([this, tenure] {
    if (Slot* lost = SlotOf(tenure)) End(*lost, "stale");
  });
}

void PartitionOwner::ReturnExcess() {
  std::vector<Slot*> owned;
  for (Slot& slot : slots_) {
    if (slot.state == State::kOwned) owned.push_back(&slot);
  }
  while (static_cast<int>(owned.size()) > share_) {
    const size_t chosen = random_.Below(owned.size());
    Return(*owned[chosen]);
    owned.erase(owned.begin() + static_cast<long>(chosen));
  }
}

void PartitionOwner::Return(Slot& slot) {
  RELAY_CHECK(slot.state == State::kOwned);
  slot.state = State::kReturning;
  slot.tenure->returning = true;
  events_.on_returning(slot.tenure);
}

void PartitionOwner::GiveBack(const TenurePtr& tenure) {
  Slot* slot = SlotOf(tenure);
  if (!slot || slot->state == State::kGiving) return;
  RELAY_CHECK(slot->state == State::kReturning);
  slot->state = State::kGiving;
  const ScriptCall call = GiveBackOwnership(slot->keys, tenure->owner);
  // Whatever comes of it, this worker is done with the partition: at worst the lease lapses.
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure](const Result<RedisValue>&) { OnGiven(tenure); });
}

void PartitionOwner::OnGiven(const TenurePtr& tenure) {
  if (Slot* slot = SlotOf(tenure)) End(*slot, "given_back");
}

void PartitionOwner::Leave(std::function<void()> on_all_returned) {
  RELAY_CHECK(!leaving_);
  leaving_ = true;
  on_all_returned_ = std::move(on_all_returned);
  const ScriptCall call = Farewell(heartbeat_, kSilence);
  redis_.Eval(*call.script, call.keys, call.args, scope_, [](const Result<RedisValue>&) {});
  Later([this] { ReturnAll(); });
}

void PartitionOwner::ReturnAll() {
  for (Slot& slot : slots_) {
    if (slot.state == State::kRecovering) {
      slot.recovery.reset();
      slot.state = State::kReturning;
      GiveBack(slot.tenure);
    } else if (slot.state == State::kOwned) {
      Return(slot);
    }
  }
  MaybeAllReturned();
}

void PartitionOwner::End(Slot& slot, const char* why) {
  const TenurePtr tenure = std::exchange(slot.tenure, nullptr);
  slot.state = State::kFree;
  if (slot.recovery) loop_.DeferDelete(std::move(slot.recovery));
  tenure->over = true;
  log_.Info("partition_ended", "no longer owns a partition",
            {{"partition", tenure->partition}, {"epoch", tenure->owner.epoch}, {"why", why}});
  if (tenure->gained) events_.on_ended(tenure);
  MaybeAllReturned();
}

void PartitionOwner::MaybeAllReturned() {
  if (!leaving_ || !on_all_returned_) return;
  if (Count(State::kFree) < static_cast<int>(slots_.size())) return;
  Later(std::exchange(on_all_returned_, nullptr));
}

void PartitionOwner::Later(std::function<void()> call) {
  loop_.Post([call = std::move(call), watch = scope_.watch()] {
    if (!watch.gone()) call();
  });
}

PartitionOwner::Slot* PartitionOwner::SlotOf(const TenurePtr& tenure) {
  Slot& slot = slots_[static_cast<size_t>(tenure->partition)];
  return slot.tenure == tenure ? &slot : nullptr;
}

int PartitionOwner::Count(State state) const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(),
                                        [state](const Slot& slot) { return slot.state == state; }));
}

int PartitionOwner::owned() const {
  return Count(State::kOwned) + Count(State::kReturning);
}

}  // namespace relay

#include "tests/crash/owner.h"

#include <algorithm>

#include "relay/attempt_record.h"
#include "relay/partition_sweep.h"

namespace relay {
namespace {

// Short, so that leases lapse and owners change all the time.
constexpr Millis kOwnLease{25};
constexpr size_t kHeldMax = 200;
constexpr size_t kChunk = 5;

}  // namespace

bool CrashOwner::TakeOver() {
  const auto own = ParseOwn(redis_.Run(TakeOwnership(keys_, boot_, kOwnLease)));
  if (!own.ok() || !own->won) return false;
  if (redis_.Run(CreateGroups(keys_)).is_error()) return false;
  owner_ = {own->epoch, boot_};
  Sweep(false);
  PagePending();
  return true;
}

void CrashOwner::Renew() {
  const auto own = ParseOwn(redis_.Run(RenewOwnership(keys_, owner_, kOwnLease)));
  if (own.ok() && !own->won) Forget();
}

void CrashOwner::GiveBack() {
  redis_.Run(GiveBackOwnership(keys_, owner_));
  Forget();
}

void CrashOwner::Forget() {
  owner_ = {};
  held_.clear();
  leases_.clear();
  old_calls_.clear();
  frozen_ = 0;
}

void CrashOwner::Act() {
  if (frozen_ > 0 && --frozen_ == 0) return Renew();
  if (frozen_ == 0 && random_.Unit() < 0.25) Renew();
  if (!owns()) return;
  const uint64_t dice = random_.Below(100);
  if (dice < 20) return static_cast<void>(Read());
  if (dice < 45) return SettleSome(1 + random_.Below(6), false);
  if (dice < 60) return TakeDue(1 + random_.Below(6));
  if (dice < 80) return ResolveSome(1 + random_.Below(6), false);
  if (dice < 84) return Redrive();
  if (dice < 85) return PurgeSome();
  if (dice < 88) return HoldOrRelease();
  if (dice < 91) return RepeatOld();
  if (dice < 94) return PagePending();
  if (dice < 95) return Sweep(random_.Below(2) == 0);
  if (dice < 97) return Freeze(static_cast<int>(5 + random_.Below(35)));
  if (dice < 98) return GiveBack();
  if (dice < 99) return Take(AnyEndpoint(), 3, true);
  // Its memory is gone; the pending list and the leases' ends are what remains.
  held_.clear();
  leases_.clear();
}

size_t CrashOwner::Read() {
  if (held_.size() >= kHeldMax) return 0;
  const std::vector<std::string> streams = {keys_.normal};
  auto batches = ParseRead(
      redis_.Ask(ReadEvents(streams, static_cast<int>(1 + random_.Below(10)), Millis(0))));
  if (!batches.ok()) GiveUp(batches.status().ToString());
  size_t read = 0;
  for (StreamBatch& batch : *batches) {
    read += batch.entries.size();
    Claim(std::move(batch.entries));
  }
  return read;
}

void CrashOwner::Claim(std::vector<StreamEntry> entries) {
  for (const StreamEntry& entry : entries) {
    if (!entry.event.ok()) continue;  // Settled since, by another owner.
    const int number = Model::NumberOf(*entry.event);
    const auto mine = ParseClaim(
        redis_.Ask(ClaimEventId(keys_, entry.event->id, entry.member, Seconds(600))), entry.member);
    if (!mine.ok()) GiveUp(mine.status().ToString());
    held_.push_back({entry.member, number,
                     *mine ? model_.EndpointsOf(number) : std::vector<uint64_t>{}, !*mine});
  }
}

void CrashOwner::PagePending() {
  std::string after = "0";
  for (;;) {
    auto page = ParseRead(redis_.Ask(ReadPending(keys_.normal, after, 50)));
    if (!page.ok()) GiveUp(page.status().ToString());
    if (page->empty() || page->front().entries.empty()) return;
    std::vector<StreamEntry>& entries = page->front().entries;
    after = entries.back().member.entry_id();
    // One in five is handed out again although it is held: two settles of one entry.
    std::erase_if(entries, [this](const StreamEntry& entry) {
      const bool is_held = std::any_of(held_.begin(), held_.end(), [&entry](const Held& held) {
        return held.member == entry.member;
      });
      return is_held && random_.Below(5) != 0;
    });
    Claim(std::move(entries));
  }
}

OwedDelivery CrashOwner::Owe(const Held& held, uint64_t endpoint, std::vector<Split>& splits,
                             size_t entry) {
  OwedDelivery owed{endpoint, OwedDelivery::State::kPending, Millis(random_.Below(40)), 0, ""};
  const uint64_t dice = random_.Below(100);
  if (dice < 40) {  // Failed once.
    owed.attempts = 1;
    owed.record = EncodeAttempt(AttemptOutcome::kRejected, 500, Millis(3));
  } else if (dice < 55) {
    owed.state = OwedDelivery::State::kDead;
    owed.record = EncodeAttempt(AttemptOutcome::kExpired, 0, Millis(0));
  } else if (dice < 80) {  // Still in flight: a soft split under a lease.
    owed.delay = Millis(5 + random_.Below(95));
    splits.push_back({entry, {held.member, held.number, endpoint, 0}, owed.delay});
  }  // Else parked.
  return owed;
}

Settlement CrashOwner::Decide(Held& held, bool accept_all, std::vector<Split>& splits,
                              size_t entry) {
  Settlement settlement{
      held.member, Settlement::Kind::kLast, TenantOf(held.number), BytesOf(held.number), 0, {}};
  if (held.repeat) settlement.kind = Settlement::Kind::kRepeat;
  const size_t count = std::min(held.undecided.size(), kChunk);
  if (held.undecided.size() > kChunk) settlement.kind = Settlement::Kind::kChunk;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t endpoint = held.undecided[i];
    if (accept_all || random_.Unit() < 0.6) {
      model_.Delivered(held.number, endpoint);
      ++settlement.accepted;
    } else {
      settlement.owed.push_back(Owe(held, endpoint, splits, entry));
    }
  }
  held.undecided.erase(held.undecided.begin(), held.undecided.begin() + count);
  return settlement;
}

void CrashOwner::SettleSome(size_t count, bool accept_all) {
  std::vector<Settlement> settlements;
  std::vector<Split> splits;
  std::vector<Held> unfinished;
  bool lean = true;
  while (settlements.size() < count && !held_.empty()) {
    std::swap(held_[random_.Below(held_.size())], held_.back());
    Held held = std::move(held_.back());
    held_.pop_back();
    const bool again = std::any_of(settlements.begin(), settlements.end(),
                                   [&held](const auto& s) { return s.member == held.member; });
    if (again) continue;
    settlements.push_back(Decide(held, accept_all, splits, settlements.size()));
    const Settlement& last = settlements.back();
    lean = lean && last.owed.empty() && last.kind != Settlement::Kind::kChunk;
    if (last.kind == Settlement::Kind::kChunk) unfinished.push_back(std::move(held));
  }
  if (settlements.empty()) return;
  if (lean && random_.Below(4) != 0) {
    RunTwiceMaybe(Done(keys_, owner_, settlements));
    return;
  }
  const auto reply = ParseSettle(RunTwiceMaybe(Settle(keys_, owner_, settlements)));
  // After a failure it is unknown what took effect: the pending list hands the entries out again.
  if (!reply.ok()) return;
  for (Split& split : splits) {
    if (!reply->won[split.entry]) continue;
    split.lease.token = ScoreOf(reply->now_ms + split.delay.count(), 0);
    leases_.push_back(split.lease);
  }
  held_.insert(held_.end(), unfinished.begin(), unfinished.end());
}

void CrashOwner::TakeDue(int count) {
  const auto due = ParseDue(redis_.Ask(NextDue(keys_, 4)));
  if (!due.ok()) GiveUp(due.status().ToString());
  if (due->empty()) return;
  Take((*due)[random_.Below(due->size())].endpoint, count, false);
}

void CrashOwner::Take(uint64_t endpoint, int count, bool probe) {
  const auto taken = ParseTake(RunTwiceMaybe(
      relay::Take(keys_, owner_, endpoint, count, Millis(5 + random_.Below(95)), 1 << 20, probe)));
  if (!taken.ok()) return;
  for (const TakenDelivery& delivery : taken->deliveries) {
    // A lost payload is a breach, which the checker names; here there is nothing to send.
    if (!delivery.event.ok()) continue;
    leases_.push_back(
        {delivery.member, Model::NumberOf(*delivery.event), endpoint, delivery.token});
  }
}

Resolution CrashOwner::ResolutionOf(const Lease& lease, bool accept_all) {
  Resolution item{
      lease.member, lease.endpoint,         lease.token,          Resolution::Kind::kOk, Millis(0),
      "",           TenantOf(lease.number), BytesOf(lease.number)};
  const uint64_t dice = accept_all ? 0 : random_.Below(100);
  if (dice < 55) {
    model_.Delivered(lease.number, lease.endpoint);
    return item;
  }
  item.delay = Millis(random_.Below(40));
  item.record = EncodeAttempt(AttemptOutcome::kTimedOut, 0, Millis(15000));
  if (dice < 75) {
    item.kind = Resolution::Kind::kFail;
  } else if (dice < 85) {
    item.kind = Resolution::Kind::kPark;
    item.record.clear();
  } else if (dice < 98) {
    item.kind = Resolution::Kind::kDead;
  } else {
    item.kind = Resolution::Kind::kDrop;
    model_.Dropped(lease.number, lease.endpoint);
  }
  return item;
}

void CrashOwner::ResolveSome(size_t count, bool accept_all) {
  std::vector<Resolution> items;
  while (items.size() < count && !leases_.empty()) {
    std::swap(leases_[random_.Below(leases_.size())], leases_.back());
    const Lease lease = leases_.back();
    leases_.pop_back();
    const bool again = std::any_of(items.begin(), items.end(), [&lease](const auto& item) {
      return item.member == lease.member && item.endpoint == lease.endpoint;
    });
    if (!again) items.push_back(ResolutionOf(lease, accept_all));
  }
  if (!items.empty()) RunTwiceMaybe(Resolve(keys_, owner_, items));
}

void CrashOwner::Redrive() {
  RunTwiceMaybe(RedriveRange(keys_, owner_, AnyEndpoint(), 0, 9'000'000'000'000,
                             static_cast<int>(1 + random_.Below(20))));
}

void CrashOwner::PurgeSome() {
  // What a purge throws away is known from its reply; where that may get lost, what stands there
  // before it counts as thrown away too.
  const uint64_t endpoint = AnyEndpoint();
  const RedisValue dead =
      redis_.Ask(RedisCommand("ZRANGE").Arg(keys_.DeadLetters(endpoint)).Arg("0").Arg("0"));
  if (dead.items.empty()) return;
  const Result<Member> member = Member::Parse(dead.items[0].text);
  const auto event = ParsePayload(redis_.Ask(ReadPayload(keys_, *member)));
  if (!event.ok()) return;
  model_.Dropped(Model::NumberOf(*event), endpoint);
  RunTwiceMaybe(PurgeMembers(keys_, owner_, endpoint, event->tenant, {&*member, 1}));
}

void CrashOwner::HoldOrRelease() {
  const uint64_t endpoint = 1 + random_.Below(4);
  if (random_.Below(3) == 0) {
    RunTwiceMaybe(Hold(keys_, owner_, endpoint));
  } else {
    RunTwiceMaybe(Release(keys_, owner_, endpoint));
  }
}

void CrashOwner::Sweep(bool deep) {
  PartitionSweep sweep(redis_, keys_, owner_);
  sweep.Start(deep, [this](const Result<SweepReport>& report) {
    if (!report.ok()) return;
    swept_.requeued += report->requeued;
    swept_.owed_mended += report->owed_mended;
    swept_.without_payload += report->without_payload;
    swept_.index_mended += report->index_mended;
    swept_.history_deleted += report->history_deleted;
  });
  redis_.RunCallbacks();
}

RedisValue CrashOwner::RunTwiceMaybe(ScriptCall call) {
  RedisValue reply = redis_.Run(call);
  if (random_.Below(20) == 0) redis_.Run(call);
  if (old_calls_.size() >= 20) old_calls_.erase(old_calls_.begin());
  old_calls_.push_back(std::move(call));
  return reply;
}

void CrashOwner::RepeatOld() {
  if (!old_calls_.empty()) redis_.Run(old_calls_[random_.Below(old_calls_.size())]);
}

ScriptCall CrashOwner::BuildCall() {
  std::vector<Split> splits;
  if (!held_.empty() && random_.Below(2) == 0) {
    const Settlement settlement = Decide(held_.back(), false, splits, 0);
    if (settlement.kind != Settlement::Kind::kChunk) held_.pop_back();
    return Settle(keys_, owner_, {&settlement, 1});
  }
  if (!leases_.empty() && random_.Below(2) == 0) {
    const Resolution item = ResolutionOf(leases_.back(), false);
    leases_.pop_back();
    return Resolve(keys_, owner_, {&item, 1});
  }
  if (random_.Below(2) == 0) {
    return RedriveRange(keys_, owner_, AnyEndpoint(), 0, 9'000'000'000'000, 10);
  }
  return relay::Take(keys_, owner_, AnyEndpoint(), 5, Millis(20), 1 << 20);
}

bool CrashOwner::DrainThroughIndex() {
  for (uint64_t endpoint = 1; endpoint <= Model::kEndpoints; ++endpoint) {
    redis_.Run(Release(keys_, owner_, endpoint));
  }
  // Due times lie at most 100 ms ahead, and a round takes at least a tenth of one.
  constexpr int kRoundsMax = 20'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    if (owns()) Renew();
    if (!owns() && !TakeOver()) continue;
    const size_t read = Read();
    PagePending();
    while (!held_.empty()) SettleSome(20, true);
    const auto due = ParseDue(redis_.Ask(NextDue(keys_, 20)));
    if (!due.ok()) GiveUp(due.status().ToString());
    if (due->empty() && read == 0) return true;
    for (const DueEndpoint& endpoint : *due) Take(endpoint.endpoint, 50, false);
    while (!leases_.empty()) ResolveSome(20, true);
  }
  return false;
}

}  // namespace relay

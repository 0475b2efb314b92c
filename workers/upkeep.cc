#include "workers/upkeep.h"

#include <utility>

#include "workers/partition_recovery.h"

namespace relay {

Upkeep::Upkeep(EventLoop& loop, RedisClient& redis, Log& log, WorkerMetrics& metrics)
    : loop_(loop),
      redis_(redis),
      log_(log),
      metrics_(metrics),
      timer_(loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kCountEvery);
}

void Upkeep::Add(const TenurePtr& tenure) {
  desks_[tenure->partition] = {tenure, loop_.clock().Now() + kSweepEvery, {}};
}

void Upkeep::Drop(const TenurePtr& tenure) {
  if (swept_ == tenure) {
    loop_.DeferDelete(std::move(sweep_));
    swept_ = nullptr;
  }
  if (!DeskOf(tenure)) return;
  desks_.erase(tenure->partition);
  ShowCounters();
}

void Upkeep::OnTick() {
  timer_->Arm(kCountEvery);
  if (!redis_.up()) return;
  for (auto& [partition, desk] : desks_) {
    redis_.Send(ReadCounters(desk.tenure->keys), scope_,
                [this, tenure = desk.tenure](const Result<RedisValue>& reply) {
                  OnCounters(tenure, reply);
                });
  }
  SweepNext();
}

void Upkeep::OnCounters(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk || !reply.ok()) return;
  const Result<PartitionCounters> counters = ParseCounters(*reply);
  if (!counters.ok()) return;
  desk->counters = *counters;
  ShowCounters();
}

void Upkeep::ShowCounters() {
  int64_t pending = 0;
  int64_t dead = 0;
  for (const auto& [partition, desk] : desks_) {
    pending += desk.counters.pending();
    dead += desk.counters.dead;
  }
  metrics_.pending.Set(static_cast<double>(pending));
  metrics_.dead_letters.Set(static_cast<double>(dead));
}

void Upkeep::SweepNext() {
  if (sweep_) return;
  const MonoTime now = loop_.clock().Now();
  for (auto& [partition, desk] : desks_) {
    if (desk.next_sweep > now || desk.tenure->returning) continue;
    desk.next_sweep = now + kSweepEvery;
    swept_ = desk.tenure;
    sweep_ = std::make_unique<PartitionSweep>(redis_, swept_->keys, swept_->owner);
    sweep_->Start(/*deep=*/false, [this, tenure = swept_](const Result<SweepReport>& report) {
      OnSwept(tenure, report);
    });
    return;
  }
}

void Upkeep::OnSwept(const TenurePtr& tenure, const Result<SweepReport>& report) {
  loop_.DeferDelete(std::move(sweep_));
  swept_ = nullptr;
  // A token that is stale is noticed by the next renewal; Redis away ends the sweep, no more.
  if (report.ok()) LogSweep(log_, tenure->partition, *report);
}

Upkeep::Desk* Upkeep::DeskOf(const TenurePtr& tenure) {
  const auto found = desks_.find(tenure->partition);
  return found != desks_.end() && found->second.tenure == tenure ? &found->second : nullptr;
}

}  // namespace relay

#include "workers/dead_letter_keeper.h"

#include <algorithm>
#include <utility>

#include "relay/redis_upkeep.h"

namespace relay {
namespace {

DeadLetterLook::Limits LimitsOf(const Settings::DeadLetters& settings, int partitions) {
  DeadLetterLook::Limits limits;
  limits.age_max = settings.age_max;
  // A limit that is too small to be shared out is still one.
  if (settings.bytes_max > 0) {
    limits.bytes_max = std::max<int64_t>(settings.bytes_max / partitions, 1);
  }
  limits.may_drop = !settings.archive_dir.empty();
  return limits;
}

}  // namespace

DeadLetterKeeper::DeadLetterKeeper(Parts parts, const Settings::DeadLetters& settings,
                                   int partitions)
    : parts_(std::move(parts)),
      settings_(settings),
      limits_(LimitsOf(settings, partitions)),
      timer_(parts_.loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kTick);
  // What is wrong with the folder is better known at the start than in a month.
  if (parts_.archive) {
    parts_.archive->Append({}, scope_, [this](const Status& status) { OnArchive(status); });
  }
}

void DeadLetterKeeper::Add(const TenurePtr& tenure) {
  const MonoTime now = parts_.loop.clock().Now();
  desks_[tenure->partition] = {tenure, now + kLookEvery, now, 0, 0, {}};
}

void DeadLetterKeeper::Drop(const TenurePtr& tenure) {
  if (looked_at_ == tenure) {
    parts_.loop.DeferDelete(std::move(look_));
    looked_at_ = nullptr;
  }
  if (!DeskOf(tenure)) return;
  desks_.erase(tenure->partition);
  Show();
}

void DeadLetterKeeper::OnTick() {
  timer_->Arm(kTick);
  if (parts_.redis.up()) LookNext();
}

void DeadLetterKeeper::LookNext() {
  if (look_) return;
  const MonoTime now = parts_.loop.clock().Now();
  for (auto& [partition, desk] : desks_) {
    if (desk.next_look > now || desk.tenure->returning) continue;
    desk.next_look = now + kLookEvery;
    DeadLetterLook::Limits limits = limits_;
    limits.may_weigh = desk.next_weighing <= now;
    looked_at_ = desk.tenure;
    look_ = std::make_unique<DeadLetterLook>(
        DeadLetterLook::Parts{parts_.loop, parts_.redis, parts_.metrics, parts_.archive,
                              parts_.catalog},
        desk.tenure, limits);
    look_->Start([this, tenure = desk.tenure](const DeadLetterLook::Report& report) {
      OnLooked(tenure, report);
    });
    return;
  }
  LogChange();
}

void DeadLetterKeeper::OnLooked(const TenurePtr& tenure, const DeadLetterLook::Report& report) {
  parts_.loop.DeferDelete(std::move(look_));
  looked_at_ = nullptr;
  if (report.archived > 0 || report.archive_failed) {
    OnArchive(report.archive_failed ? report.status : Status::Ok());
  }
  if (report.dropped > 0) {
    parts_.log.Info("dead_letters_dropped", "dead letters beyond a limit of [dlq] were dropped",
                    {{"partition", tenure->partition},
                     {"dropped", report.dropped},
                     {"archived", report.archived}});
  }
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  desk->over_age = report.over_age.value_or(desk->over_age);
  desk->over_bytes = report.over_bytes.value_or(desk->over_bytes);
  if (report.weighed) desk->next_weighing = parts_.loop.clock().Now() + kWeighEvery;
  // A token that is stale is noticed by the next renewal; Redis away ends the look, no more.
  if (report.status.ok() || report.archive_failed) TellRedis(*desk);
  Show();
  LookNext();
}

void DeadLetterKeeper::OnArchive(const Status& status) {
  if (!status.ok()) {
    parts_.metrics.archive_failures.Increment();
    if (std::exchange(archive_fails_, true)) return;
    parts_.log.Warning("archive_failed",
                       "dead letters cannot be archived, so none is dropped, whatever the limits",
                       {{"archive_dir", settings_.archive_dir}, {"why", status.text()}});
  } else if (std::exchange(archive_fails_, false)) {
    parts_.log.Info("archive_works", "dead letters can be archived again",
                    {{"archive_dir", settings_.archive_dir}});
  }
}

void DeadLetterKeeper::TellRedis(Desk& desk) {
  std::string told;
  if (desk.over_age + desk.over_bytes > 0) {
    told = std::to_string(desk.over_age) + " " + std::to_string(desk.over_bytes);
  }
  if (desk.told == told) return;
  desk.told = told;
  const auto partition = int64_t{desk.tenure->partition};
  RedisCommand command(told.empty() ? "HDEL" : "HSET");
  command.Arg(kOverLimitKey).Arg(partition);
  if (!told.empty()) command.Arg(told);
  // Where it fails, the next change is told.
  parts_.redis.Send(command, scope_, [](const Result<RedisValue>&) {});
}

void DeadLetterKeeper::Show() {
  over_age_ = 0;
  over_bytes_ = 0;
  for (const auto& [partition, desk] : desks_) {
    over_age_ += desk.over_age;
    over_bytes_ += desk.over_bytes;
  }
  parts_.metrics.dead_letters_over_age.Set(static_cast<double>(over_age_));
  parts_.metrics.dead_letters_over_bytes.Set(static_cast<double>(over_bytes_));
}

// Once all partitions have been looked at, so that a change is told with the number of all.
void DeadLetterKeeper::LogChange() {
  const bool over = over_age_ + over_bytes_ > 0;
  if (over == told_over_) return;
  told_over_ = over;
  if (!over) {
    parts_.log.Info("dead_letters_within_limits", "no dead letter is beyond a limit any more");
    return;
  }
  parts_.log.Warning("dead_letters_over_limit",
                     limits_.may_drop
                         ? "dead letters beyond a limit of [dlq] stand in Redis still"
                         : "dead letters beyond a limit of [dlq] stay: redrive or purge them, or "
                           "set dlq.archive_dir to have them archived",
                     {{"over_age", over_age_}, {"over_bytes", over_bytes_}});
}

DeadLetterKeeper::Desk* DeadLetterKeeper::DeskOf(const TenurePtr& tenure) {
  const auto found = desks_.find(tenure->partition);
  return found != desks_.end() && found->second.tenure == tenure ? &found->second : nullptr;
}

}  // namespace relay

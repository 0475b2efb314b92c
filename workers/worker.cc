#include "workers/worker.h"

#include <algorithm>
#include <utility>

#include "relay/units.h"
#include "workers/archive_thread.h"

namespace relay {

namespace {

constexpr Seconds kWorkerTick{1};

StreamConsumer::Limits ConsumerLimits(const Settings& settings) {
  StreamConsumer::Limits limits;
  limits.credit = settings.worker.credit;
  limits.repeats_per_partition =
      std::max<int64_t>(1, settings.worker.repeats_max / settings.redis.partitions);
  limits.command_deadline = settings.redis.command_deadline;
  return limits;
}

// One is enough for a host's disk, and its files are named for this start of the program.
std::unique_ptr<DeadLetterArchive> NewArchive(EventLoop& loop, const Settings::DeadLetters& dlq,
                                              const std::string& boot_id) {
  if (dlq.archive_dir.empty() || dlq.archive_dir == Settings::DeadLetters::kNoArchive) {
    return nullptr;
  }
  return std::make_unique<ArchiveThread>(loop, dlq.archive_dir, boot_id);
}

}  // namespace

Worker::Worker(Parts parts, const Settings& settings, std::string boot_id, std::string name)
    : loop_(parts.loop),
      redis_(parts.redis),
      catalogs_(parts.catalogs),
      log_(parts.log),
      settings_(settings),
      metrics_(parts.metrics),
      owner_(parts.loop, parts.redis, parts.random, parts.log, std::move(boot_id), std::move(name),
             settings.redis.partitions,
             {.on_gained = [this](const TenurePtr& tenure) { OnGained(tenure); },
              .on_returning = [this](const TenurePtr& tenure) { OnReturning(tenure); },
              .on_ended = [this](const TenurePtr& tenure) { OnEnded(tenure); }}),
      settler_(parts.loop, parts.redis, parts.log,
               {.on_settled = [this](const Settler::Settled& s) { fan_out_.OnSettled(s); },
                .on_stale = [this](const TenurePtr& tenure) { owner_.ReportLost(tenure); },
                .on_retries_changed =
                    [this](const TenurePtr& tenure, int64_t now_ms) {
                      scheduler_.OnRetriesChanged(tenure, now_ms);
                    }}),
      table_(parts.catalogs.snapshot(), parts.log),
      paused_quota_(parts.loop, parts.redis, settings.redis.partitions, table_, parts.log),
      disabler_(parts.loop, parts.redis, parts.catalogs, parts.log, settings.redis.partitions),
      memory_share_(std::move(parts.memory_share)),
      attempt_log_(parts.loop, parts.redis, metrics_, settings.attempt_log,
                   settings.redis.partitions),
      streams_(parts.loop, parts.redis, parts.catalogs, parts.log),
      rooms_(parts.loop, parts.redis, parts.log),
      dispatcher_({parts.loop, parts.redis, parts.attempts, settler_, attempt_log_, streams_,
                   rooms_, parts.random, parts.log, metrics_},
                  {.in_flight_max = settings.worker.in_flight_max,
                   .split_after = settings.worker.split_after},
                  owner_.boot_id(),
                  {.on_first_decided =
                       [this](uint64_t entry, const Delivery& delivery, const Decision& decision) {
                         fan_out_.OnFirstDecided(entry, delivery, decision);
                       },
                   .on_gone = [this](const Endpoint& endpoint) { OnGone(endpoint); },
                   .on_slot_free = [this](uint64_t number) { scheduler_.OnSlotFree(number); },
                   .on_breaker = [this](uint64_t number, bool open) { OnBreaker(number, open); },
                   .on_probe = [this](uint64_t number) { scheduler_.OnProbe(number); },
                   .on_failing = [this](uint64_t number, int64_t since_ms,
                                        int64_t now_ms) { OnFailing(number, since_ms, now_ms); }}),
      fan_out_(
          parts.loop, table_, dispatcher_, settler_, paused_quota_, attempt_log_, metrics_,
          {.split_after = settings.worker.split_after,
           .lease_margin = settings.worker.lease_margin},
          {.on_settling = [this](const TenurePtr& tenure) { streams_.Flush(*tenure); },
           .on_released = [this](const TenurePtr& tenure,
                                 const Member& member) { consumer_.Release(tenure, member); }}),
      gate_(parts.loop, parts.catalogs, [this](const HeldEventPtr& held) { OnPassed(held); }),
      consumer_(parts.loop, parts.redis, parts.reader, parts.log, metrics_,
                ConsumerLimits(settings),
                {.on_event = [this](const HeldEventPtr& held) { gate_.Take(held); },
                 .on_repeat = [this](const HeldEventPtr& held) { fan_out_.TakeRepeat(held); },
                 .on_empty = [this](const TenurePtr& tenure,
                                    const Member& member) { fan_out_.TakeEmpty(tenure, member); }}),
      scheduler_(parts.loop, parts.redis, parts.catalogs, table_, streams_, dispatcher_, settler_,
                 attempt_log_, parts.log, metrics_, settings.worker.lease_margin,
                 {.on_stale = [this](const TenurePtr& tenure) { owner_.ReportLost(tenure); }}),
      upkeep_(parts.loop, parts.redis, parts.log, metrics_),
      archive_(NewArchive(parts.loop, settings.dlq, owner_.boot_id())),
      keeper_({.loop = parts.loop,
               .redis = parts.redis,
               .log = parts.log,
               .metrics = metrics_,
               .archive = archive_.get(),
               .catalog = [this] { return table_.catalog(); }},
              settings.dlq, settings.redis.partitions),
      catalog_timer_(loop_.NewTimer([this] { LoadCatalog(); })),
      tick_(loop_.NewTimer([this] { OnTick(); })),
      drain_tick_(loop_.NewTimer([this] { OnDrainTick(); })) {}

void Worker::Start() {
  tick_->Arm(kWorkerTick);
  redis_.WatchState(scope_, [this] {
    if (redis_.up() && catalog_timer_->armed()) catalog_timer_->Arm(Micros(0));
  });
  catalogs_.Watch([this, watch = scope_.watch()](const CatalogPtr& catalog) {
    if (!watch.gone()) OnSnapshot(catalog);
  });
  LoadCatalog();
}

void Worker::LoadCatalog() {
  catalogs_.Load([this, watch = scope_.watch()](const Result<CatalogPtr>& catalog) {
    if (!watch.gone()) OnFirstCatalog(catalog);
  });
}

void Worker::OnFirstCatalog(const Result<CatalogPtr>& catalog) {
  // The watcher has seen it already; without one there is nothing to match against yet.
  if (!owning_ && !draining_ && !catalog.ok()) catalog_timer_->Arm(kCatalogAgain);
}

void Worker::OnSnapshot(const CatalogPtr& catalog) {
  table_.SetCatalog(catalog);
  scheduler_.OnCatalog();
  dispatcher_.OnCatalogOrWorkers(owner_.live_workers());
  metrics_.catalog_version.Set(static_cast<double>(catalog->version()));
  log_.Info("catalog_loaded", "a catalog is in force",
            {{"version", catalog->version()}, {"tenants", catalog->tenant_count()}});
  if (owning_ || draining_ || catalog->version() == 0) return;
  owning_ = true;
  owner_.Start();
}

// ---- Partitions come and go.

void Worker::OnGained(const TenurePtr& tenure) {
  streams_.Add(tenure);  // First: what the others ask for is answered behind its answer.
  rooms_.Add(tenure);
  upkeep_.Add(tenure);
  keeper_.Add(tenure);
  scheduler_.Add(tenure);
  consumer_.Add(tenure);
  metrics_.partitions_owned.Set(owner_.owned());
}

void Worker::OnPassed(const HeldEventPtr& held) {
  fan_out_.Take(held, streams_.Admit(held));
}

void Worker::OnReturning(const TenurePtr& tenure) {
  returns_[tenure->partition] = {tenure, loop_.clock().Now() + settings_.worker.drain};
  if (!drain_tick_->armed()) drain_tick_->Arm(Micros(0));
}

void Worker::OnEnded(const TenurePtr& tenure) {
  const auto returned = returns_.find(tenure->partition);
  if (returned != returns_.end() && returned->second.tenure == tenure) returns_.erase(returned);
  consumer_.Drop(tenure);
  gate_.Drop(tenure);
  scheduler_.Drop(tenure);
  dispatcher_.Drop(tenure);
  fan_out_.Drop(tenure);
  settler_.Drop(tenure);
  upkeep_.Drop(tenure);
  rooms_.Drop(tenure);
  streams_.Drop(tenure);
  keeper_.Drop(tenure);
  metrics_.partitions_owned.Set(owner_.owned());
}

bool Worker::Quiet(const TenurePtr& tenure) const {
  return consumer_.quiet(tenure) && scheduler_.quiet(tenure) && gate_.count(tenure) == 0 &&
         fan_out_.count(tenure) == 0 && dispatcher_.count(tenure) == 0 && settler_.idle(tenure);
}

void Worker::OnDrainTick() {
  const MonoTime now = loop_.clock().Now();
  for (auto& [partition, back] : returns_) {
    // What the gate holds has been shown to nobody: it stays pending for the next owner.
    const bool late = now >= back.deadline + kDrainGrace;
    if (Quiet(back.tenure) || late) {
      // On the connection that gives the partition back, and so before that.
      attempt_log_.Flush();
      streams_.Flush();
      owner_.GiveBack(back.tenure);
    } else if (now >= back.deadline && !back.parked) {
      back.parked = true;
      gate_.Drop(back.tenure);
      dispatcher_.ParkWaiting(back.tenure);
      dispatcher_.ParkInFlight(back.tenure);
    }
  }
  if (!returns_.empty()) drain_tick_->Arm(kDrainTick);
}

void Worker::Drain(std::function<void()> on_drained) {
  draining_ = true;
  catalog_timer_->Cancel();
  log_.Info("draining", "stops reading and settles what is in flight");
  dispatcher_.StopStarting();
  dispatcher_.ParkWaiting(nullptr);
  owner_.Leave(std::move(on_drained));
}

// ---- What goes on beside.

// Of a 410 no state in Redis says since when. The minute stands for it, so that the answers that
// several workers get at the same time make one notice.
void Worker::OnGone(const Endpoint& endpoint) {
  constexpr int64_t kMinuteMs = 60'000;
  const int64_t now_ms = MillisSinceEpoch(loop_.clock().WallNow());
  disabler_.Disable(endpoint.number, {"answered 410", now_ms - now_ms % kMinuteMs});
}

void Worker::OnBreaker(uint64_t endpoint, bool open) {
  if (open) {
    metrics_.breakers_opened.Increment();
    log_.Warning("breaker_open",
                 "an endpoint fails and is left alone, but for a probe now and then",
                 {{"number", endpoint}});
  } else {
    log_.Info("breaker_closed", "an endpoint answers again", {{"number", endpoint}});
  }
  scheduler_.OnBreaker(endpoint, open);
}

void Worker::OnFailing(uint64_t number, int64_t since_ms, int64_t now_ms) {
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = catalogs_.snapshot()->FindEndpoint(number, &tenant);
  if (!endpoint || endpoint->disable_after == Millis(0)) return;
  if (now_ms - since_ms < endpoint->disable_after.count()) return;
  disabler_.Disable(
      number, {"nothing but failures for " + FormatDuration(endpoint->disable_after), since_ms});
}

void Worker::OnTick() {
  tick_->Arm(kWorkerTick);
  metrics_.in_flight.Set(dispatcher_.in_flight());
  metrics_.settle_backlog.Set(static_cast<double>(settler_.backlog()));
  metrics_.partitions_owned.Set(owner_.owned());
  attempt_log_.SetMemory(MemoryForLog());
  const int live = owner_.live_workers();
  if (live == live_workers_) return;
  live_workers_ = live;
  dispatcher_.OnCatalogOrWorkers(live);
}

// At shed_at tenants over their quota are refused. Logs must not be what leads there, so that they
// become shorter at half of it.
AttemptLog::Memory Worker::MemoryForLog() const {
  const double share = memory_share_ ? memory_share_() : 0;
  if (share >= settings_.broker.shed_at) return AttemptLog::Memory::kTight;
  return share >= settings_.broker.shed_at / 2 ? AttemptLog::Memory::kScarce
                                               : AttemptLog::Memory::kAmple;
}

std::vector<std::string> Worker::NotReady() const {
  std::vector<std::string> reasons;
  if (!redis_.up()) reasons.emplace_back("Redis is away.");
  if (!owning_) reasons.emplace_back("There is no catalog yet. Fix: relayctl apply catalog.toml");
  if (draining_) reasons.emplace_back("The worker is draining.");
  return reasons;
}

}  // namespace relay

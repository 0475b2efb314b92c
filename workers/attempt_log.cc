#include "workers/attempt_log.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

// Redis is asked for a log's size each time that this part of its bound has been written. One that
// could go over the bound before the next time is trimmed by this part more.
constexpr int64_t kSlack = 8;
// An expiry is renewed when this part of it has gone by, and is longer by as much.
constexpr int64_t kRenewals = 16;
// No log is held shorter than this, however many partitions there are.
constexpr int64_t kBytesMin = 4 * AttemptLog::kEntryBytesMax;

}  // namespace

AttemptLog::AttemptLog(EventLoop& loop, RedisClient& redis, WorkerMetrics& metrics,
                       const Settings::AttemptLog& settings, int partitions)
    : loop_(loop),
      redis_(redis),
      metrics_(metrics),
      settings_(settings),
      bytes_max_(std::max(settings.bytes_max / partitions, kBytesMin)),
      timer_(loop.NewTimer([this] { Flush(); })) {}

void AttemptLog::Add(const Tenure& tenure, const std::string& tenant,
                     const AttemptLogRecord& record) {
  if (!settings_.enabled) return;
  if (memory_ == Memory::kTight || !redis_.up() ||
      bytes_waiting_ + kAttemptLogRecordBytesMax > kBytesMax) {
    return Drop(1);
  }
  auto& tenants = logs_[tenure.partition];
  auto found = tenants.find(tenant);
  if (found == tenants.end()) {
    found = tenants.emplace(tenant, Log()).first;
    found->second.partition = tenure.partition;
    found->second.tenant = tenant;
    found->second.key = tenure.keys.AttemptLog(tenant);
    found->second.growth = bytes_max_;  // It may be as large as another owner left it.
    ++logs_known_;
  }
  Log& log = found->second;
  if (log.entry.size() + kAttemptLogRecordBytesMax > kEntryBytesMax) Write(log);
  if (log.entry.empty()) gathering_.push_back(&log);  // Again, after a Write(): it does no harm.
  const size_t before = log.entry.size();
  AppendAttempt(record, log.entry);
  bytes_waiting_ += log.entry.size() - before;
  ++log.attempts;
  if (!timer_->armed()) timer_->Arm(kGather);
}

void AttemptLog::AddUnsent(const Tenure& tenure, const Event& event, uint64_t endpoint,
                           AttemptOutcome why) {
  AttemptLogRecord record;
  record.event_id = event.id;
  record.endpoint = endpoint;
  record.attempt = 0;
  record.at_ms = MillisSinceEpoch(loop_.clock().WallNow());
  record.outcome = why;
  record.fate = AttemptFate::kDead;
  Add(tenure, event.tenant, record);
}

void AttemptLog::Flush() {
  for (Log* log : gathering_) {
    if (forget_) log->renew_expiry_at = MonoTime();
    if (!log->entry.empty()) Write(*log);
  }
  gathering_.clear();
  if (std::exchange(forget_, false) || logs_known_ > kLogsKnownMax) {
    logs_.clear();
    logs_known_ = 0;
  }
}

int64_t AttemptLog::bytes_max() const {
  return memory_ == Memory::kAmple ? bytes_max_ : std::max(bytes_max_ / 8, kBytesMin);
}

void AttemptLog::Write(Log& log) {
  const size_t bytes = log.entry.size();
  command_.Restart("XADD").Arg(log.key);
  if (const int64_t entries_max = std::exchange(log.entries_max, 0); entries_max > 0) {
    command_.Arg("MAXLEN").Arg("~").Arg(entries_max);
    // Whether it fits now: where the oldest entries are the small ones, trimming once frees little.
    log.growth = bytes_max_;
  } else {
    // By our clock, while the ids are by Redis's: hosts whose clocks differ by more than a fraction
    // of days have other troubles.
    const int64_t oldest_ms = MillisSinceEpoch(loop_.clock().WallNow()) - settings_.age_max.count();
    command_.Arg("MINID").Arg("~").Arg(std::max<int64_t>(oldest_ms, 0));
  }
  // Its memory goes with it: there may be many logs, and few that are written at a time.
  command_.Arg("*").Arg(kAttemptsField).Arg(std::exchange(log.entry, {}));
  const int attempts = std::exchange(log.attempts, 0);
  redis_.Send(command_, scope_, [this, bytes, attempts](const Result<RedisValue>& reply) {
    OnWritten(bytes, attempts, reply);
  });
  if (loop_.clock().Now() >= log.renew_expiry_at) RenewExpiry(log);
  log.growth += static_cast<int64_t>(bytes);
  if (log.growth >= bytes_max() / kSlack) {
    log.growth = 0;
    AskSize(log);
  }
}

void AttemptLog::OnWritten(size_t bytes, int attempts, const Result<RedisValue>& reply) {
  bytes_waiting_ -= bytes;
  if (reply.ok() && !reply->is_error()) {
    metrics_.attempts_logged.Increment(attempts);
    return;
  }
  Drop(attempts);
  // The log may be without its expiry, or be gone; the next Flush() forgets what was known of it.
  forget_ = true;
}

void AttemptLog::RenewExpiry(Log& log) {
  const Millis renewed_every = settings_.age_max / kRenewals;
  log.renew_expiry_at = loop_.clock().Now() + renewed_every;
  redis_.Send(RedisCommand("PEXPIRE").Arg(log.key).Arg((settings_.age_max + renewed_every).count()),
              scope_, [](const Result<RedisValue>&) {});
}

void AttemptLog::AskSize(const Log& log) {
  // Of all nodes, because the oldest may be of another size than the rest.
  redis_.Send(
      RedisCommand("MEMORY").Arg("USAGE").Arg(log.key).Arg("SAMPLES").Arg("0"), scope_,
      [this](const Result<RedisValue>& reply) { size_heard_ = reply.ok() ? reply->integer : 0; });
  redis_.Send(RedisCommand("XLEN").Arg(log.key), scope_,
              [this, partition = log.partition, tenant = log.tenant](
                  const Result<RedisValue>& reply) { OnEntries(partition, tenant, reply); });
}

void AttemptLog::OnEntries(int partition, const std::string& tenant,
                           const Result<RedisValue>& reply) {
  const int64_t size = std::exchange(size_heard_, 0);
  const int64_t slack = bytes_max() / kSlack;
  if (!reply.ok() || size <= bytes_max() - slack) return;
  const auto found = logs_[partition].find(tenant);
  if (found == logs_[partition].end()) return;
  const double share = static_cast<double>(bytes_max() - 2 * slack) / static_cast<double>(size);
  found->second.entries_max =
      std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(reply->integer)));
}

void AttemptLog::Drop(int attempts) {
  metrics_.attempts_not_logged.Increment(attempts);
}

}  // namespace relay

#include "workers/partition_recovery.h"

#include <utility>

namespace relay {

PartitionRecovery::PartitionRecovery(RedisClient& redis, Log& log, TenurePtr tenure, OnDone on_done)
    : redis_(redis),
      log_(log),
      tenure_(std::move(tenure)),
      on_done_(std::move(on_done)),
      sweep_(redis, tenure_->keys, tenure_->owner) {}

void PartitionRecovery::Start() {
  const ScriptCall call = CreateGroups(tenure_->keys);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this](const Result<RedisValue>& reply) { OnGroups(reply); });
}

void PartitionRecovery::OnGroups(const Result<RedisValue>& reply) {
  if (!reply.ok()) return on_done_(reply.status());
  if (reply->is_error()) return on_done_(StatusOfError(*reply));
  sweep_.Start(false, [this](const Result<SweepReport>& report) { OnSwept(report); });
}

void PartitionRecovery::OnSwept(const Result<SweepReport>& report) {
  if (!report.ok()) return on_done_(report.status());
  LogSweep(log_, tenure_->partition, *report);
  on_done_(Status::Ok());
}

void LogSweep(Log& log, int partition, const SweepReport& report) {
  const bool mended = report.requeued + report.owed_mended + report.index_mended > 0;
  if (report.without_payload > 0) {
    log.Error("payload_missing", "deliveries are owed whose payload is gone",
              {{"partition", partition}, {"deliveries", report.without_payload}});
  }
  if (!mended) return;
  log.Warning("partition_mended", "a sweep put right what a broken-off transition had left",
              {{"partition", partition},
               {"requeued", report.requeued},
               {"counts", report.owed_mended},
               {"index", report.index_mended}});
}

}  // namespace relay

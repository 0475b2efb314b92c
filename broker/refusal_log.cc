#include "broker/refusal_log.h"

#include <string>

#include "relay/refusal_record.h"

namespace relay {

RefusalLog::RefusalLog(const Clock& clock, RedisClient& redis, Metrics& metrics)
    : clock_(clock),
      redis_(redis),
      skipped_(metrics.GetCounter("relay_refusals_not_kept_total",
                                  "Refusals that `relayctl refused` does not show, because there "
                                  "were too many in a second or Redis was away")) {}

void RefusalLog::Note(std::string_view source, std::string_view reason, std::string_view detail,
                      int status, std::string_view peer) {
  const MonoTime now = clock_.Now();
  if (now - second_began_ >= Seconds(1)) {
    second_began_ = now;
    this_second_ = 0;
  }
  if (this_second_ == kPerSecondMax || !redis_.up()) {
    skipped_.Increment();
    return;
  }
  ++this_second_;
  RefusalRecord refusal;
  refusal.source = source;
  refusal.reason = reason;
  refusal.detail = detail;
  refusal.peer = peer;
  refusal.status = status;
  refusal.at_ms = MillisSinceEpoch(clock_.WallNow());
  redis_.Send(KeepRefusal(refusal), scope_, [](const Result<RedisValue>&) {});
}

}  // namespace relay

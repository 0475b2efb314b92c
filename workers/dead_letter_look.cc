#include "workers/dead_letter_look.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "relay/check.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

// Commands on their way at a time; together well below a millisecond of Redis.
constexpr int kCountsOpenMax = 100;
// Letters a call, weighed in some 0.3 ms, and tenants a page.
constexpr int kWeighed = 100;
constexpr int kChargesPage = 500;
// Between two such calls, so that Redis has most of its time for deliveries.
constexpr Millis kPause{10};
// What events held that are dead elsewhere still is known only once it has been weighed again. That
// is little, so few times suffice; the next look does the rest.
constexpr int kWeighingsMax = 3;

}  // namespace

DeadLetterLook::DeadLetterLook(const Parts& parts, TenurePtr tenure, const Limits& limits)
    : parts_(parts),
      tenure_(std::move(tenure)),
      limits_(limits),
      pause_(parts.loop.NewTimer([this] { WeighNext(); })) {}

void DeadLetterLook::Start(Done done) {
  RELAY_CHECK(!done_);
  done_ = std::move(done);
  Send(ReadCounters(tenure_->keys), &DeadLetterLook::OnCounters);
}

void DeadLetterLook::Send(const RedisCommand& command, Step step) {
  parts_.redis.Send(command, scope_,
                    [this, step](const Result<RedisValue>& reply) { OnReply(reply, step); });
}

void DeadLetterLook::OnReply(const Result<RedisValue>& reply, Step step) {
  if (!reply.ok() || reply->is_error()) return Finish(StatusOfReply(reply));
  // A step that ends the look by itself says OK and has called Finish: nothing may follow.
  if (Status status = (this->*step)(*reply); !status.ok()) Finish(std::move(status));
}

Status DeadLetterLook::OnCounters(const RedisValue& reply) {
  const Result<PartitionCounters> counters = ParseCounters(reply);
  if (!counters.ok()) return counters.status();
  if (counters->dead <= 0) {
    report_.over_age = 0;
    report_.over_bytes = 0;
    Finish(Status::Ok());
    return Status::Ok();
  }
  Send(RedisCommand("TIME"), &DeadLetterLook::OnTime);
  return Status::Ok();
}

Status DeadLetterLook::OnTime(const RedisValue& reply) {
  const Result<std::vector<std::string>> parts = TextsOf(reply, "TIME");
  if (!parts.ok() || parts->size() != 2) return Unexpected(reply, "TIME");
  now_ms_ = std::strtoll((*parts)[0].c_str(), nullptr, 10) * 1000 +
            std::strtoll((*parts)[1].c_str(), nullptr, 10) / 1000;
  Send(ListOwing(tenure_->keys), &DeadLetterLook::OnOwing);
  return Status::Ok();
}

Status DeadLetterLook::OnOwing(const RedisValue& reply) {
  Result<std::vector<uint64_t>> endpoints = ParseEndpoints(reply);
  if (!endpoints.ok()) return endpoints.status();
  endpoints_ = std::move(*endpoints);
  report_.over_age = 0;
  if (limits_.age_max == Millis(0) || endpoints_.empty()) {
    ReadCharges();
  } else {
    CountNext();
  }
  return Status::Ok();
}

// ---- By age.

void DeadLetterLook::CountNext() {
  const int64_t until_ms = now_ms_ - limits_.age_max.count();
  while (counted_ < endpoints_.size() && counts_open_ < kCountsOpenMax) {
    ++counts_open_;
    parts_.redis.Send(CountDeadLetters(tenure_->keys, endpoints_[counted_++], until_ms), scope_,
                      [this](const Result<RedisValue>& reply) {
                        if (!reply.ok() || reply->is_error()) {
                          count_failed_ = StatusOfReply(reply);
                        } else {
                          *report_.over_age += reply->integer;
                        }
                        if (--counts_open_ == 0) OnCounted();
                      });
  }
}

void DeadLetterLook::OnCounted() {
  if (!count_failed_.ok()) return Finish(count_failed_);
  if (counted_ < endpoints_.size()) return CountNext();
  if (*report_.over_age == 0 || !limits_.may_drop) return ReadCharges();
  StartDrop({.died_until_ms = now_ms_ - limits_.age_max.count()},
            parts_.metrics.dead_letters_dropped_by_age, &DeadLetterLook::OnAgeDropped);
}

void DeadLetterLook::OnAgeDropped(const DeadLetterDrop::Report& report) {
  if (TakeReport(report, report_.over_age)) ReadCharges();
}

// ---- By bytes.

void DeadLetterLook::ReadCharges() {
  if (limits_.bytes_max == 0) {
    report_.over_bytes = 0;
    return Finish(Status::Ok());
  }
  charged_ = 0;
  Send(ScanCharges(tenure_->keys, "0", kChargesPage), &DeadLetterLook::OnCharges);
}

Status DeadLetterLook::OnCharges(const RedisValue& reply) {
  const Result<ChargesPage> page = ParseChargesPage(reply);
  if (!page.ok()) return page.status();
  charged_ += page->bytes;
  if (charged_ > limits_.bytes_max) {
    if (limits_.may_weigh) {
      WeighNext();
    } else {
      Finish(Status::Ok());
    }
  } else if (page->cursor != "0") {
    Send(ScanCharges(tenure_->keys, page->cursor, kChargesPage), &DeadLetterLook::OnCharges);
  } else {
    report_.over_bytes = 0;
    Finish(Status::Ok());
  }
  return Status::Ok();
}

void DeadLetterLook::WeighNext() {
  if (tenure_->over || tenure_->returning) {
    return Finish(Status::Cancelled("the partition is left"));
  }
  if (weighed_ == endpoints_.size()) return OnAllWeighed();
  const ScriptCall call = WeighDeadLetters(tenure_->keys, endpoints_[weighed_], rank_, kWeighed);
  parts_.redis.Eval(
      *call.script, call.keys, call.args, scope_,
      [this](const Result<RedisValue>& reply) { OnReply(reply, &DeadLetterLook::OnWeighed); });
}

Status DeadLetterLook::OnWeighed(const RedisValue& reply) {
  const Result<WeighReply> weighed = ParseWeigh(reply);
  if (!weighed.ok()) return weighed.status();
  letters_ += weighed->letters;
  bytes_ += weighed->bytes;
  rank_ += weighed->letters;
  if (weighed->letters > 0) {
    pause_->Arm(kPause);
    return Status::Ok();
  }
  rank_ = 0;
  ++weighed_;
  WeighNext();
  return Status::Ok();
}

void DeadLetterLook::OnAllWeighed() {
  report_.weighed = true;
  const int64_t excess = bytes_ - limits_.bytes_max;
  if (excess <= 0) {
    report_.over_bytes = 0;
    return Finish(Status::Ok());
  }
  const double share = static_cast<double>(excess) / static_cast<double>(bytes_);
  report_.over_bytes =
      std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(letters_)));
  if (!limits_.may_drop) return Finish(Status::Ok());
  StartDrop({.bytes = excess}, parts_.metrics.dead_letters_dropped_by_bytes,
            &DeadLetterLook::OnBytesDropped);
}

void DeadLetterLook::OnBytesDropped(const DeadLetterDrop::Report& report) {
  if (!TakeReport(report, report_.over_bytes)) return;
  if (report.dropped == 0 || ++weighings_ == kWeighingsMax) return Finish(Status::Ok());
  weighed_ = 0;
  letters_ = 0;
  bytes_ = 0;
  WeighNext();
}

// ---- Both.

void DeadLetterLook::StartDrop(const DeadLetterDrop::Goal& goal, Counter& dropped,
                               void (DeadLetterLook::*then)(const DeadLetterDrop::Report&)) {
  drop_ = std::make_unique<DeadLetterDrop>(
      DeadLetterDrop::Parts{parts_.loop, parts_.redis, parts_.archive, parts_.catalog,
                            parts_.metrics.dead_letters_archived, dropped},
      tenure_, endpoints_, goal);
  drop_->Start([this, then](const DeadLetterDrop::Report& report) { (this->*then)(report); });
}

// False: it has failed, and that ends the look.
bool DeadLetterLook::TakeReport(const DeadLetterDrop::Report& report,
                                std::optional<int64_t>& over) {
  parts_.loop.DeferDelete(std::move(drop_));
  report_.archived += report.archived;
  report_.dropped += report.dropped;
  over = std::max<int64_t>(0, over.value_or(0) - report.dropped);
  if (report.status.ok()) return true;
  report_.archive_failed = report.archive_failed;
  Finish(report.status);
  return false;
}

void DeadLetterLook::Finish(Status status) {
  report_.status = std::move(status);
  const Report report = std::move(report_);
  // `done` may destroy us: nothing may follow.
  std::exchange(done_, nullptr)(report);
}

}  // namespace relay

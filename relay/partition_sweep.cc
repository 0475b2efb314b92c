#include "relay/partition_sweep.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {
namespace {

constexpr int kPage = 200;
// One call looks at so many (member, endpoint) pairs: some 8 ms of Redis.
constexpr size_t kPairsMax = 20'000;
// How often `eps` may grow under us before we leave it to the next sweep.
constexpr int kListingsMax = 10;

}  // namespace

PartitionSweep::PartitionSweep(RedisClient& redis, PartitionKeys keys, OwnerToken owner)
    : redis_(redis), keys_(std::move(keys)), owner_(std::move(owner)) {}

void PartitionSweep::Start(bool deep, Done done) {
  RELAY_CHECK(!done_);
  done_ = std::move(done);
  deep_ = deep;
  recounted_ = false;
  listings_ = 0;
  report_ = {};
  event_class_ = EventClass::kNormal;
  cursor_ = "-";
  Requeue();
}

void PartitionSweep::Send(const RedisCommand& command, Step step) {
  redis_.Send(command, scope_,
              [this, step](const Result<RedisValue>& reply) { OnReply(reply, step); });
}

void PartitionSweep::Eval(const ScriptCall& call, Step step) {
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, step](const Result<RedisValue>& reply) { OnReply(reply, step); });
}

void PartitionSweep::OnReply(const Result<RedisValue>& reply, Step step) {
  if (!reply.ok()) return Finish(reply.status());
  if (reply->is_error("MORE") && listings_ < kListingsMax) return List();
  if (reply->is_error()) return Finish(StatusOfError(*reply));
  // A step that ends the sweep by itself says OK and has called Finish: nothing may follow.
  if (Status status = (this->*step)(*reply); !status.ok()) Finish(std::move(status));
}

void PartitionSweep::Requeue() {
  Eval(RequeueOrphans(keys_, owner_, event_class_, cursor_, kPage), &PartitionSweep::OnRequeued);
}

Status PartitionSweep::OnRequeued(const RedisValue& reply) {
  Result<OrphansReply> orphans = ParseOrphans(reply);
  if (!orphans.ok()) return orphans.status();
  report_.requeued += static_cast<int64_t>(orphans->requeued.size());
  cursor_ = orphans->cursor;
  if (cursor_.empty() && event_class_ == EventClass::kNormal) {
    event_class_ = EventClass::kBulk;
    cursor_ = "-";
  }
  if (cursor_.empty()) {
    List();
  } else {
    Requeue();
  }
  return Status::Ok();
}

void PartitionSweep::List() {
  ++listings_;
  Send(ListOwing(keys_), &PartitionSweep::OnListed);
}

Status PartitionSweep::OnListed(const RedisValue& reply) {
  Result<std::vector<uint64_t>> endpoints = ParseEndpoints(reply);
  if (!endpoints.ok()) return endpoints.status();
  endpoints_ = std::move(*endpoints);
  Eval(Recount(keys_, owner_, endpoints_), &PartitionSweep::OnCounted);
  return Status::Ok();
}

Status PartitionSweep::OnCounted(const RedisValue& reply) {
  Result<RecountReply> count = ParseRecount(reply);
  if (!count.ok()) return count.status();
  report_.index_mended += count->mended;
  if (!recounted_ && (deep_ || count->owed != count->retries + count->dead)) {
    cursor_ = "0";
    Scan(&PartitionSweep::OnScanned);
  } else if (count->charged != count->owed) {
    Send(ReadCounters(keys_), &PartitionSweep::OnCountersRead);
  } else {
    Prune();
  }
  return Status::Ok();
}

void PartitionSweep::Scan(Step step) {
  Send(ScanOwed(keys_, cursor_, kPage), step);
}

Status PartitionSweep::OnScanned(const RedisValue& reply) {
  Result<OwedPage> page = ParseOwedPage(reply);
  if (!page.ok()) return page.status();
  cursor_ = page->cursor;
  page_ = std::move(page->members);
  RecountNext();
  return Status::Ok();
}

void PartitionSweep::RecountNext() {
  if (page_.empty() && cursor_ == "0") {
    recounted_ = true;
    return List();
  }
  if (page_.empty()) return Scan(&PartitionSweep::OnScanned);
  const size_t pairs_fit = kPairsMax / std::max<size_t>(endpoints_.size(), 1);
  const size_t count = std::min({page_.size(), size_t{kPage}, std::max<size_t>(pairs_fit, 1)});
  std::vector<Member> members;
  for (size_t i = 0; i < count; ++i) {
    members.push_back(std::move(page_.back().member));
    page_.pop_back();
  }
  Eval(RecountOwed(keys_, owner_, endpoints_, members), &PartitionSweep::OnRecounted);
}

Status PartitionSweep::OnRecounted(const RedisValue& reply) {
  Result<OwedReply> owed = ParseRecountOwed(reply);
  if (!owed.ok()) return owed.status();
  report_.owed_mended += owed->mended;
  report_.requeued += static_cast<int64_t>(owed->requeued.size());
  report_.without_payload += static_cast<int64_t>(owed->without_payload.size());
  RecountNext();
  return Status::Ok();
}

Status PartitionSweep::OnCountersRead(const RedisValue& reply) {
  Result<PartitionCounters> counters = ParseCounters(reply);
  if (!counters.ok()) return counters.status();
  counters_seen_ = *counters;
  charges_.clear();
  charged_.clear();
  cursor_ = "0";
  Scan(&PartitionSweep::OnScannedForCharges);
  return Status::Ok();
}

Status PartitionSweep::OnScannedForCharges(const RedisValue& reply) {
  Result<OwedPage> page = ParseOwedPage(reply);
  if (!page.ok()) return page.status();
  cursor_ = page->cursor;
  page_ = std::move(page->members);
  ReadNextPayload();
  return Status::Ok();
}

void PartitionSweep::ReadNextPayload() {
  // A page of HSCAN may name a member a second time.
  while (!page_.empty() && charged_.contains(page_.back().member)) page_.pop_back();
  if (!page_.empty()) {
    return Send(ReadPayload(keys_, page_.back().member), &PartitionSweep::OnPayload);
  }
  if (cursor_ != "0") return Scan(&PartitionSweep::OnScannedForCharges);
  Eval(RewriteCharges(keys_, owner_, counters_seen_, charges_), &PartitionSweep::OnChargesWritten);
}

Status PartitionSweep::OnPayload(const RedisValue& reply) {
  Result<Event> event = ParsePayload(reply);
  if (event.ok()) {
    TenantCharge& charge = charges_[event->tenant];
    charge.deliveries += page_.back().deliveries;
    charge.bytes += static_cast<int64_t>(event->body.size());
  } else if (event.status().code() != StatusCode::kNotFound) {
    return event.status();
  }
  charged_.insert(page_.back().member);
  page_.pop_back();
  ReadNextPayload();
  return Status::Ok();
}

Status PartitionSweep::OnChargesWritten(const RedisValue& reply) {
  Result<bool> written = ParseRewriteCharges(reply);
  if (!written.ok()) return written.status();
  // When something moved meanwhile the next sweep tries again.
  report_.charges_rewritten = *written;
  Prune();
  return Status::Ok();
}

void PartitionSweep::Prune() {
  // What leaves history behind leaves the counters wrong as well: they come after it.
  const bool something_was_wrong = report_.index_mended + report_.owed_mended > 0;
  if (!deep_ && !something_was_wrong) return Finish(report_);
  cursor_ = "0";
  Eval(PruneHistory(keys_, owner_, endpoints_, cursor_, kPage), &PartitionSweep::OnPruned);
}

Status PartitionSweep::OnPruned(const RedisValue& reply) {
  Result<PruneReply> pruned = ParsePrune(reply);
  if (!pruned.ok()) return pruned.status();
  report_.history_deleted += pruned->deleted;
  if (pruned->cursor == "0") {
    Finish(report_);
  } else {
    Eval(PruneHistory(keys_, owner_, endpoints_, pruned->cursor, kPage), &PartitionSweep::OnPruned);
  }
  return Status::Ok();
}

void PartitionSweep::Finish(Result<SweepReport> result) {
  // `done` may destroy us: nothing may follow.
  std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace relay

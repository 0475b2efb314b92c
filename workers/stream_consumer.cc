#include "workers/stream_consumer.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"

namespace relay {

StreamConsumer::StreamConsumer(EventLoop& loop, RedisClient& redis, RedisClient& reader, Log& log,
                               WorkerMetrics& metrics, Limits limits, Events events)
    : loop_(loop),
      redis_(redis),
      reader_(reader),
      log_(log),
      metrics_(metrics),
      limits_(limits),
      events_(std::move(events)),
      pause_timer_(loop.NewTimer([this] { Pump(); })),
      look_timer_(loop.NewTimer([this] { StartLooks(); })) {
  redis_.WatchState(scope_, [this] { OnConnectionChange(); });
  reader_.WatchState(scope_, [this] { OnConnectionChange(); });
  look_timer_->Arm(kRescanEvery);
}

void StreamConsumer::Add(const TenurePtr& tenure) {
  Desk& desk = desks_[tenure->partition];
  RELAY_CHECK(!desk.tenure);
  last_added_ = loop_.clock().Now();
  desk.tenure = tenure;
  desk.paging = true;
  desk.window = std::make_unique<RepeatWindow>(limits_.repeats_per_partition);
  Pump();
}

void StreamConsumer::OnConnectionChange() {
  if (!redis_.up()) return;
  for (auto& [partition, desk] : desks_) {
    if (desk.tenure->run_id != redis_.run_id()) continue;
    for (const HeldEventPtr& held : std::exchange(desk.unclaimed, {})) Claim(desk, held);
  }
  Pump();
}

void StreamConsumer::Pump() {
  for (auto& [partition, desk] : desks_) {
    if (desk.paging) NextPage(desk);
    if (!desk.unclaimed.empty() && !pause_timer_->armed() && redis_.up()) {
      for (const HeldEventPtr& held : std::exchange(desk.unclaimed, {})) Claim(desk, held);
    }
  }
  ReadMore();
}

// ---- New entries.

void StreamConsumer::ReadMore() {
  if (!reading_.empty() || pause_timer_->armed() || !reader_.up() || !redis_.up()) return;
  std::vector<TenurePtr> wanted;
  for (auto& [partition, desk] : desks_) {
    const bool same_redis = desk.tenure->run_id == reader_.run_id();
    if (desk.stage == Stage::kReading && !desk.tenure->returning && same_redis) {
      wanted.push_back(desk.tenure);
    }
  }
  if (wanted.empty() || held_bytes_ >= limits_.bytes) return;
  const int room = limits_.credit - held_entries_;
  // Small reads cost Redis most; while enough is in hand, credit gathers first.
  if (room < std::max(1, limits_.credit / 8)) return;
  // COUNT is for each stream; with less room than streams, some of them wait for the next read.
  const size_t streams = std::min(wanted.size(), static_cast<size_t>(room));
  if (streams < wanted.size()) {
    const size_t first = first_stream_++ % wanted.size();
    std::rotate(wanted.begin(), wanted.begin() + static_cast<long>(first), wanted.end());
    wanted.resize(streams);
  }
  std::vector<std::string> names;
  for (const TenurePtr& tenure : wanted) names.push_back(tenure->keys.normal);
  reading_ = std::move(wanted);
  const bool at_first = loop_.clock().Now() - last_added_ < kAtFirst;
  const Millis block = at_first ? kBlockAtFirst : kBlock;
  reader_.SendWithDeadline(ReadEvents(names, ReadCount(streams), block),
                           block + limits_.command_deadline, scope_,
                           [this](const Result<RedisValue>& reply) { OnRead(reply); });
}

int StreamConsumer::ReadCount(size_t streams) const {
  const int by_credit = limits_.credit - held_entries_;
  const auto by_bytes = static_cast<int>(std::min<int64_t>(kReadBytes / entry_bytes_, 1'000'000));
  const int all = std::min({by_credit, by_bytes, kReadEntriesMax});
  return std::max(1, all / static_cast<int>(streams));
}

void StreamConsumer::OnRead(const Result<RedisValue>& reply) {
  const std::vector<TenurePtr> asked = std::exchange(reading_, {});
  if (!reply.ok()) {
    // What Redis may have read for us stands on the pending list; the looks will find it.
    if (!pause_timer_->armed()) pause_timer_->Arm(kPause);
    return;
  }
  if (reply->is_error()) return OnReadRefused(*reply);
  Result<std::vector<StreamBatch>> batches = ParseRead(*reply);
  if (!batches.ok()) {
    log_.Error("read_unreadable", "a read came back in a form that is not known",
               {{"error", batches.status().ToString()}});
    return pause_timer_->Arm(kPause);
  }
  for (StreamBatch& batch : *batches) {
    const auto tenure = std::find_if(asked.begin(), asked.end(), [&](const TenurePtr& one) {
      return one->keys.normal == batch.stream;
    });
    if (tenure == asked.end() || (*tenure)->run_id != reader_.run_id()) continue;
    Desk* desk = DeskOf(*tenure);
    if (!desk) continue;
    for (StreamEntry& entry : batch.entries) Admit(*desk, std::move(entry));
  }
  Pump();
}

void StreamConsumer::OnReadRefused(const RedisValue& error) {
  pause_timer_->Arm(kPause);
  if (!error.is_error("NOGROUP")) {
    log_.Warning("read_refused", "Redis refuses to be read", {{"error", error.text}});
    return;
  }
  // Somebody has destroyed a group. At the beginning of the stream it starts anew: what was settled
  // is gone from there, what is owed elsewhere is recognised by its claim.
  log_.Warning("group_missing", "a consumer group is gone; it is created again",
               {{"error", error.text}});
  for (auto& [partition, desk] : desks_) {
    const ScriptCall call = CreateGroups(desk.tenure->keys);
    redis_.Eval(*call.script, call.keys, call.args, scope_, [](const Result<RedisValue>&) {});
  }
}

void StreamConsumer::Admit(Desk& desk, StreamEntry entry) {
  const std::string& member = entry.member.text();
  if (desk.held.count(member) > 0 || desk.undecodable.count(member) > 0) return;
  if (!entry.event.ok() && entry.event.status().code() != StatusCode::kNotFound) {
    desk.undecodable.insert(member);
    metrics_.undecodable.Increment();
    log_.Error("entry_undecodable", "a stream entry cannot be decoded and stays pending",
               {{"partition", desk.tenure->partition},
                {"entry", member},
                {"error", entry.event.status().ToString()}});
    return;
  }
  const size_t bytes =
      entry.event.ok() ? entry.event->body.size() + entry.event->headers.size() : 0;
  desk.held.emplace(member, bytes);
  ++held_entries_;
  held_bytes_ += static_cast<int64_t>(bytes);
  // Quick to grow, slow to shrink: asking for too few costs less than getting too much.
  const auto weight = static_cast<int64_t>(bytes) + 128;
  entry_bytes_ = weight > entry_bytes_ ? (entry_bytes_ + weight) / 2
                                       : entry_bytes_ - (entry_bytes_ - weight) / 64;
  metrics_.entries_held.Set(held_entries_);
  metrics_.bytes_held.Set(static_cast<double>(held_bytes_));
  if (!entry.event.ok()) return events_.on_empty(desk.tenure, entry.member);
  Claim(desk,
        std::make_shared<const HeldEvent>(HeldEvent{desk.tenure, std::move(entry.member),
                                                    *std::move(entry.event), loop_.clock().Now()}));
}

// ---- Repeats.

void StreamConsumer::Claim(Desk& desk, const HeldEventPtr& held) {
  const Millis window = desk.window->Claim(Millis(held->event.window_ms), loop_.clock().Now());
  metrics_.repeat_window.Set(static_cast<double>(window.count()) / 1000.0);
  ++desk.claims_open;
  redis_.Send(ClaimEventId(desk.tenure->keys, held->event.id, held->member, window), scope_,
              [this, held](const Result<RedisValue>& reply) { OnClaimed(held, reply); });
}

void StreamConsumer::OnClaimed(const HeldEventPtr& held, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(held->tenure);
  if (!desk) return;
  --desk->claims_open;
  // A full Redis remembers no more ids, but what it holds must still get out.
  const bool full = reply.ok() && reply->is_error("OOM");
  const Result<bool> first = !reply.ok() ? Result<bool>(reply.status())
                             : full      ? Result<bool>(true)
                                         : ParseClaim(*reply, held->member);
  if (!first.ok()) {
    desk->unclaimed.push_back(held);
    if (!pause_timer_->armed()) pause_timer_->Arm(kPause);
    return;
  }
  *first ? events_.on_event(held) : events_.on_repeat(held);
}

void StreamConsumer::Release(const TenurePtr& tenure, const Member& member) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  const auto found = desk->held.find(member.text());
  if (found == desk->held.end()) return;
  --held_entries_;
  held_bytes_ -= static_cast<int64_t>(found->second);
  desk->held.erase(found);
  metrics_.entries_held.Set(held_entries_);
  metrics_.bytes_held.Set(static_cast<double>(held_bytes_));
  loop_.AtTurnEnd(*this, Phase::kBatch);
}

void StreamConsumer::Drop(const TenurePtr& tenure) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  for (const auto& [member, bytes] : desk->held) {
    --held_entries_;
    held_bytes_ -= static_cast<int64_t>(bytes);
  }
  metrics_.undecodable.Decrement(static_cast<double>(desk->undecodable.size()));
  desks_.erase(tenure->partition);
  metrics_.entries_held.Set(held_entries_);
  metrics_.bytes_held.Set(static_cast<double>(held_bytes_));
  Pump();
}

bool StreamConsumer::quiet(const TenurePtr& tenure) const {
  if (std::find(reading_.begin(), reading_.end(), tenure) != reading_.end()) return false;
  const Desk* desk = DeskOf(tenure);
  return !desk || (desk->claims_open == 0 && desk->unclaimed.empty() && !desk->page_under_way);
}

const StreamConsumer::Desk* StreamConsumer::DeskOf(const TenurePtr& tenure) const {
  const auto found = desks_.find(tenure->partition);
  return found != desks_.end() && found->second.tenure == tenure ? &found->second : nullptr;
}

StreamConsumer::Desk* StreamConsumer::DeskOf(const TenurePtr& tenure) {
  return const_cast<Desk*>(std::as_const(*this).DeskOf(tenure));
}

}  // namespace relay

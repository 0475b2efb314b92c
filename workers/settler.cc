#include "workers/settler.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

// The part of an entry's settlement that the next call writes.
Settlement NextChunk(const Settlement& whole, size_t from, size_t to) {
  Settlement chunk = whole;
  if (to - from == whole.owed.size()) return chunk;
  chunk.owed.assign(whole.owed.begin() + static_cast<long>(from),
                    whole.owed.begin() + static_cast<long>(to));
  if (to < whole.owed.size()) {
    chunk.kind = Settlement::Kind::kChunk;
    // Told once, by the last chunk, so that a chunk sent twice counts nothing twice.
    chunk.accepted = 0;
  }
  return chunk;
}

}  // namespace

Settler::Settler(EventLoop& loop, RedisClient& redis, Log& log, Events events)
    : loop_(loop),
      redis_(redis),
      log_(log),
      events_(std::move(events)),
      pause_timer_(loop.NewTimer([this] { SendAgain(); })) {
  redis_.WatchState(scope_, [this] { SendAgain(); });
}

void Settler::Settle(const TenurePtr& tenure, Settlement settlement, uint64_t tag) {
  if (tenure->over) return;
  Desk& desk = DeskOf(tenure);
  const Kind kind = settlement.owed.empty() ? Kind::kDone : Kind::kSettle;
  desk.lots[static_cast<int>(kind)].entries.push_back({std::move(settlement), tag, 0});
  MarkDirty(desk);
}

void Settler::Resolve(const TenurePtr& tenure, Resolution resolution) {
  if (tenure->over) return;
  Desk& desk = DeskOf(tenure);
  desk.lots[static_cast<int>(Kind::kResolve)].resolutions.push_back(std::move(resolution));
  MarkDirty(desk);
}

Settler::Desk& Settler::DeskOf(const TenurePtr& tenure) {
  Desk& desk = desks_[tenure->partition];
  if (desk.tenure != tenure) desk = Desk{.tenure = tenure};
  return desk;
}

void Settler::MarkDirty(Desk& desk) {
  desk.dirty = true;
  loop_.AtTurnEnd(*this, Phase::kBatch);
}

void Settler::OnTurnEnd() {
  for (auto& [partition, desk] : desks_) {
    if (std::exchange(desk.dirty, false)) Flush(desk);
  }
}

void Settler::Flush(Desk& desk) {
  if (!redis_.up() || redis_.run_id() != desk.tenure->run_id) return;
  for (int i = 0; i < kKinds; ++i) {
    Lot& lot = desk.lots[i];
    const Kind kind = static_cast<Kind>(i);
    if (lot.under_way) continue;
    if (!lot.unsent) {
      if (lot.waiting() == 0) continue;
      Fill(kind, lot);
    }
    Send(desk, kind);
  }
}

void Settler::Fill(Kind kind, Lot& lot) {
  const size_t room = lot.singles > 0          ? 1
                      : kind == Kind::kResolve ? kResolveMax
                                               : kSettleEntriesMax;
  if (lot.singles > 0) --lot.singles;
  if (kind == Kind::kResolve) {
    while (!lot.resolutions.empty() && lot.sent_resolutions.size() < room) {
      lot.sent_resolutions.push_back(std::move(lot.resolutions.front()));
      lot.resolutions.pop_front();
    }
    return;
  }
  size_t owed = 0;
  while (!lot.entries.empty() && lot.sent_entries.size() < room) {
    const Entry& next = lot.entries.front();
    const size_t more = std::min(kChunk, next.settlement.owed.size() - next.owed_from);
    if (owed > 0 && owed + more > kChunk) break;
    owed += more;
    lot.sent_entries.push_back(std::move(lot.entries.front()));
    lot.entries.pop_front();
  }
}

void Settler::Send(Desk& desk, Kind kind) {
  Lot& lot = desk.lots[static_cast<int>(kind)];
  lot.under_way = true;
  lot.unsent = false;
  const Tenure& tenure = *desk.tenure;
  ScriptCall call;
  if (kind == Kind::kResolve) {
    call = relay::Resolve(tenure.keys, tenure.owner, lot.sent_resolutions);
  } else {
    std::vector<Settlement> chunks;
    chunks.reserve(lot.sent_entries.size());
    for (const Entry& entry : lot.sent_entries) {
      const size_t to = std::min(entry.settlement.owed.size(), entry.owed_from + kChunk);
      chunks.push_back(NextChunk(entry.settlement, entry.owed_from, to));
    }
    call = kind == Kind::kDone ? Done(tenure.keys, tenure.owner, chunks)
                               : relay::Settle(tenure.keys, tenure.owner, chunks);
  }
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, held = desk.tenure, kind](const Result<RedisValue>& reply) {
                OnReply(held, kind, reply);
              });
}

void Settler::OnReply(const TenurePtr& tenure, Kind kind, const Result<RedisValue>& reply) {
  const auto found = desks_.find(tenure->partition);
  if (found == desks_.end() || found->second.tenure != tenure) return;
  Desk& desk = found->second;
  Lot& lot = desk.lots[static_cast<int>(kind)];
  lot.under_way = false;
  if (!reply.ok()) return OnRefused(desk, kind, reply.status());

  int64_t now_ms = 0;
  std::vector<bool> won;
  Status status;
  if (kind == Kind::kDone) {
    Result<std::vector<bool>> done = ParseDone(*reply);
    status = done.status();
    if (done.ok()) won = std::move(*done);
  } else {
    Result<WonReply> answer = kind == Kind::kSettle ? ParseSettle(*reply) : ParseResolve(*reply);
    status = answer.status();
    if (answer.ok()) {
      now_ms = answer->now_ms;
      won = std::move(answer->won);
    }
  }
  if (status.ok() && won.size() != lot.sent()) {
    status = Status::Internal("a transition answered for another number of items");
  }
  if (!status.ok()) return OnRefused(desk, kind, status);

  if (now_ms > 0) events_.on_retries_changed(tenure, now_ms);
  if (kind == Kind::kResolve) {
    // Lost ones were resolved by an earlier sending, or their lease ran out: nothing is to be done.
    lot.sent_resolutions.clear();
  } else {
    OnEntriesWon(desk, lot, now_ms, won);
  }
  MarkDirty(desk);
}

void Settler::OnEntriesWon(Desk& desk, Lot& lot, int64_t now_ms, const std::vector<bool>& won) {
  std::vector<Entry> sent = std::exchange(lot.sent_entries, {});
  for (size_t i = sent.size(); i-- > 0;) {
    Entry& entry = sent[i];
    const size_t owed = entry.settlement.owed.size();
    const size_t to = std::min(owed, entry.owed_from + kChunk);
    const Settled settled{.tag = entry.tag,
                          .won = won[i],
                          .last = to == owed || !won[i],
                          .redis_now_ms = now_ms,
                          .owed_from = entry.owed_from,
                          .owed_to = to};
    if (!settled.last) {
      entry.owed_from = to;
      lot.entries.push_front(std::move(entry));
    }
    events_.on_settled(settled);
  }
  desk.dirty = true;
}

void Settler::OnRefused(Desk& desk, Kind kind, const Status& status) {
  desk.lots[static_cast<int>(kind)].unsent = true;
  switch (status.code()) {
    case StatusCode::kConflict:
      return events_.on_stale(desk.tenure);
    case StatusCode::kInternal:
      return OnMalformed(desk, kind, status);
    default:
      // No answer, or Redis refuses for now. The pause keeps a refusing Redis from being hammered;
      // a new connection ends it early.
      if (!pause_timer_->armed()) pause_timer_->Arm(kRefusedPause);
  }
}

void Settler::OnMalformed(Desk& desk, Kind kind, const Status& status) {
  Lot& lot = desk.lots[static_cast<int>(kind)];
  log_.Error(
      "settle_refused", "a transition refused its arguments",
      {{"partition", desk.tenure->partition}, {"items", lot.sent()}, {"error", status.ToString()}});
  lot.unsent = false;
  if (lot.sent() == 1) {
    // An entry stays on the pending list and in our hands, so that nobody reads it in a circle; a
    // delivery comes back when its lease ends. Neither is lost, both are in the log.
    lot.sent_entries.clear();
    lot.sent_resolutions.clear();
  } else {
    lot.singles = lot.sent();
    for (size_t i = lot.sent_entries.size(); i-- > 0;) {
      lot.entries.push_front(std::move(lot.sent_entries[i]));
    }
    for (size_t i = lot.sent_resolutions.size(); i-- > 0;) {
      lot.resolutions.push_front(std::move(lot.sent_resolutions[i]));
    }
    lot.sent_entries.clear();
    lot.sent_resolutions.clear();
  }
  MarkDirty(desk);
}

void Settler::SendAgain() {
  if (!redis_.up()) return;
  for (auto& [partition, desk] : desks_) MarkDirty(desk);
}

void Settler::Drop(const TenurePtr& tenure) {
  const auto found = desks_.find(tenure->partition);
  if (found != desks_.end() && found->second.tenure == tenure) desks_.erase(found);
}

bool Settler::idle(const TenurePtr& tenure) const {
  const auto found = desks_.find(tenure->partition);
  if (found == desks_.end() || found->second.tenure != tenure) return true;
  return std::all_of(std::begin(found->second.lots), std::end(found->second.lots),
                     [](const Lot& lot) { return lot.waiting() == 0 && lot.sent() == 0; });
}

size_t Settler::backlog() const {
  size_t waiting = 0;
  for (const auto& [partition, desk] : desks_) {
    for (const Lot& lot : desk.lots) waiting += lot.waiting() + lot.sent();
  }
  return waiting;
}

}  // namespace relay

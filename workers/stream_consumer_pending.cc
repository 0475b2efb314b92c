// The pending list: adopted when a partition is taken, looked at every few seconds afterwards.

#include <algorithm>
#include <utility>

#include "workers/stream_consumer.h"

namespace relay {

namespace {

// A page of the ids on a pending list, without payloads.
RedisCommand LookAtPending(const std::string& stream, const std::string& after, int count) {
  return RedisCommand("XPENDING").Arg(stream).Arg(kGroup).Arg(after).Arg("+").Arg(int64_t{count});
}

}  // namespace

void StreamConsumer::NextPage(Desk& desk) {
  const int room = limits_.credit - held_entries_;
  if (desk.page_under_way || desk.tenure->returning || room < 1 || held_bytes_ >= limits_.bytes ||
      !redis_.up()) {
    return;
  }
  const auto by_bytes = static_cast<int>(std::clamp<int64_t>(kReadBytes / entry_bytes_, 1, 1000));
  desk.page_under_way = true;
  redis_.Send(ReadPending(desk.tenure->keys.normal, desk.page_after,
                          std::min({kPageEntries, room, by_bytes})),
              scope_, [this, tenure = desk.tenure](const Result<RedisValue>& reply) {
                OnPage(tenure, reply);
              });
}

void StreamConsumer::OnPage(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  desk->page_under_way = false;
  if (reply.ok() && reply->is_error()) return OnReadRefused(*reply);
  Result<std::vector<StreamBatch>> page =
      reply.ok() ? ParseRead(*reply) : Result<std::vector<StreamBatch>>(reply.status());
  if (!page.ok()) {
    if (!pause_timer_->armed()) pause_timer_->Arm(kPause);
    return;
  }
  size_t entries = 0;
  for (StreamBatch& batch : *page) {
    entries += batch.entries.size();
    for (StreamEntry& entry : batch.entries) {
      desk->page_after = std::string(entry.member.entry_id());
      const bool wanted = desk->stage == Stage::kAdopting || desk->only.count(entry.member.text());
      if (wanted) Admit(*desk, std::move(entry));
    }
  }
  if (entries == 0) {
    desk->paging = false;
    desk->only.clear();
    desk->stage = Stage::kReading;
  }
  Pump();
}

void StreamConsumer::StartLooks() {
  look_timer_->Arm(kRescanEvery);
  for (auto& [partition, desk] : desks_) {
    const bool idle = !desk.paging && !desk.looking && desk.stage == Stage::kReading;
    if (!idle || desk.tenure->returning || !redis_.up()) continue;
    desk.looking = true;
    desk.look_after = "-";
    desk.missed_now.clear();
    NextLook(desk);
  }
}

void StreamConsumer::NextLook(Desk& desk) {
  redis_.Send(
      LookAtPending(desk.tenure->keys.normal, desk.look_after, kLookEntries), scope_,
      [this, tenure = desk.tenure](const Result<RedisValue>& reply) { OnLook(tenure, reply); });
}

void StreamConsumer::OnLook(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(tenure);
  if (!desk) return;
  if (!reply.ok() || !reply->is_array()) {
    desk->looking = false;  // The next look begins anew.
    return;
  }
  for (const RedisValue& row : reply->items) {
    if (!row.is_array() || row.items.empty() || !row.items[0].is_text()) continue;
    const std::string& id = row.items[0].text;
    desk->look_after = "(" + id;
    std::string member = Member(EventClass::kNormal, id).text();
    if (desk->held.count(member) == 0 && desk->undecodable.count(member) == 0) {
      desk->missed_now.insert(std::move(member));
    }
  }
  if (reply->items.size() == static_cast<size_t>(kLookEntries)) return NextLook(*desk);
  EndOfLook(*desk);
}

void StreamConsumer::EndOfLook(Desk& desk) {
  desk.looking = false;
  for (auto it = desk.missed_now.begin(); it != desk.missed_now.end();) {
    if (desk.missed.count(*it) > 0) {
      desk.only.insert(*it);
      it = desk.missed_now.erase(it);
    } else {
      ++it;
    }
  }
  desk.missed = std::exchange(desk.missed_now, {});
  if (desk.only.empty()) return;
  log_.Warning("entries_adopted", "pending entries that nobody held are taken up",
               {{"partition", desk.tenure->partition}, {"entries", desk.only.size()}});
  desk.paging = true;
  desk.page_after = "0";
  Pump();
}

}  // namespace relay

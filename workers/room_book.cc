#include "workers/room_book.h"

#include <algorithm>
#include <utility>

namespace relay {

RoomBook::RoomBook(EventLoop& loop, RedisClient& redis, Log& log)
    : loop_(loop), redis_(redis), log_(log), timer_(loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kLookEvery);
}

void RoomBook::Add(const TenurePtr& tenure) {
  Desk& desk = desks_[tenure->partition];
  desk = Desk{};
  desk.tenure = tenure;
  desk.next_trim = loop_.clock().Now() + kTrimEvery;
  Look(desk);
}

void RoomBook::Drop(const TenurePtr& tenure) {
  if (DeskOf(*tenure)) desks_.erase(tenure->partition);
}

void RoomBook::OnTick() {
  timer_->Arm(kLookEvery);
  if (!redis_.up()) return;
  for (auto& [partition, desk] : desks_) {
    Look(desk);
    if (loop_.clock().Now() >= desk.next_trim) TrimExpired(desk);
  }
}

void RoomBook::Look(const Desk& desk) {
  redis_.Send(
      ReadRoomVersion(desk.tenure->keys), scope_,
      [this, tenure = desk.tenure](const Result<RedisValue>& reply) { OnVersion(tenure, reply); });
}

void RoomBook::OnVersion(const TenurePtr& tenure, const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(*tenure);
  if (!desk || !reply.ok()) return;
  const Result<int64_t> version = ParseRoomVersion(*reply);
  if (!version.ok() || *version == desk->version) return;
  if (*version == 0 && desk->version == -1) {
    desk->version = 0;  // Nothing was ever registered here.
    return;
  }
  // What changes meanwhile has a greater version than the one that is noted with it, and is read by
  // the next look.
  redis_.Send(ReadRooms(tenure->keys), scope_,
              [this, tenure, version = *version](Result<RedisValue>&& rooms) {
                OnRooms(tenure, version, std::move(rooms));
              });
}

void RoomBook::OnRooms(const TenurePtr& tenure, int64_t version, Result<RedisValue>&& reply) {
  Desk* desk = DeskOf(*tenure);
  if (!desk || !reply.ok()) return;
  Result<std::vector<std::pair<std::string, std::string>>> fields = ParseHash(std::move(*reply));
  if (!fields.ok()) {
    log_.Warning("rooms_unreadable", "registered rooms cannot be read",
                 {{"partition", tenure->partition}, {"error", fields.status().ToString()}});
    return;
  }
  desk->version = version;
  desk->rooms.clear();
  for (auto& [key, text] : *fields) {
    Result<RegisteredRoom> room = DecodeRoom(text);
    if (!room.ok()) continue;
    desk->rooms.emplace(std::move(key), std::make_shared<const RegisteredRoom>(std::move(*room)));
  }
}

// Redis's clock decides; this one only tells when asking is worth while.
void RoomBook::TrimExpired(Desk& desk) {
  const MonoTime now = loop_.clock().Now();
  desk.next_trim = now + kTrimEvery;
  const int64_t wall_ms = MillisSinceEpoch(loop_.clock().WallNow());
  const bool any = std::any_of(desk.rooms.begin(), desk.rooms.end(), [wall_ms](const auto& item) {
    return item.second->expires_ms <= wall_ms;
  });
  if (!any) return;
  const ScriptCall call = TrimRooms(desk.tenure->keys);
  redis_.Eval(*call.script, call.keys, call.args, scope_, [](const Result<RedisValue>&) {});
}

RegisteredRoomPtr RoomBook::Find(const Tenure& tenure, const Event& event) const {
  const Desk* desk = DeskOf(tenure);
  if (!desk || desk->rooms.empty() || event.ordering_key.empty()) return nullptr;
  const auto found = desk->rooms.find(RoomKey(event.tenant, event.ordering_key));
  if (found == desk->rooms.end()) return nullptr;
  const bool expired = found->second->expires_ms <= MillisSinceEpoch(loop_.clock().WallNow());
  return expired ? nullptr : found->second;
}

const RoomBook::Desk* RoomBook::DeskOf(const Tenure& tenure) const {
  const auto found = desks_.find(tenure.partition);
  return found != desks_.end() && found->second.tenure.get() == &tenure ? &found->second : nullptr;
}

RoomBook::Desk* RoomBook::DeskOf(const Tenure& tenure) {
  return const_cast<Desk*>(std::as_const(*this).DeskOf(tenure));
}

}  // namespace relay

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "relay/call_scope.h"
#include "relay/event.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_streams.h"
#include "workers/tenure.h"

namespace relay {

// Shared, because an attempt that tells of a room may outlast its registration.
using RegisteredRoomPtr = std::shared_ptr<const RegisteredRoom>;

// Knows the rooms that are registered for the stream codes of the partitions of this worker. Those
// of a partition are read when it is taken and whenever their version has grown, which is looked at
// every kLookEvery. So a registration is known within two seconds; a partition without any costs
// one small command a second.
//
// All references outlive the book. Loop thread only.
class RoomBook {
 public:
  static constexpr Seconds kLookEvery{1};
  // How often what has expired is looked for.
  static constexpr Seconds kTrimEvery{60};

  RoomBook(EventLoop& loop, RedisClient& redis, Log& log);

  void Add(const TenurePtr& tenure);
  void Drop(const TenurePtr& tenure);

  // Null when none is registered for the event's stream by its tenant.
  RegisteredRoomPtr Find(const Tenure& tenure, const Event& event) const;

 private:
  struct Desk {
    TenurePtr tenure;
    int64_t version = -1;  // Of what has been read; -1: nothing has been.
    MonoTime next_trim{};
    std::unordered_map<std::string, RegisteredRoomPtr> rooms;  // By RoomKey().
  };

  void OnTick();
  void Look(const Desk& desk);
  void OnVersion(const TenurePtr& tenure, const Result<RedisValue>& reply);
  void OnRooms(const TenurePtr& tenure, int64_t version, Result<RedisValue>&& reply);
  void TrimExpired(Desk& desk);
  Desk* DeskOf(const Tenure& tenure);
  const Desk* DeskOf(const Tenure& tenure) const;

  EventLoop& loop_;
  RedisClient& redis_;
  Log& log_;
  std::map<int, Desk> desks_;  // By partition.
  const std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay

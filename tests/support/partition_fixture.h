#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "relay/redis_ownership.h"
#include "relay/redis_scripts.h"
#include "relay/redis_upkeep.h"
#include "tests/support/redis_process.h"
#include "tests/support/sync_redis.h"

namespace relay {

// A test on one partition of a real Redis, owned by the test.
class PartitionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(process_.Start().ok());
    ASSERT_TRUE(redis_.Connect().ok());
    owner_ = Owner("boot-1");
    Run(CreateGroups(keys_));
  }

  RedisValue Ask(const RedisCommand& command) {
    Result<RedisValue> reply = redis_.Command(command);
    return reply.ok() ? *reply : RedisValue::Error(reply.status().ToString());
  }
  RedisValue Run(const ScriptCall& call) {
    Result<RedisValue> reply = redis_.Eval(*call.script, call.keys, call.args);
    return reply.ok() ? *reply : RedisValue::Error(reply.status().ToString());
  }
  // What a parser gave; a failure of the test when there is nothing.
  template <typename T>
  T Value(Result<T> result) {
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? std::move(*result) : T{};
  }

  OwnerToken Owner(const std::string& boot) {
    const OwnReply own = Value(ParseOwn(Run(TakeOwnership(keys_, boot, Seconds(60)))));
    EXPECT_TRUE(own.won);
    return {own.epoch, boot};
  }
  Event MakeEvent(const std::string& body = R"({"event_type":100})") {
    Event event;
    event.id = std::string(31, '0') + std::to_string(++events_ % 10);
    event.source = "demo";
    event.tenant = "acme";
    event.type = "100";
    event.body = body;
    event.window_ms = 60000;
    return event;
  }
  Member Store(const Event& event) { return Value(ParseStored(Ask(StoreEvent(keys_, event)))); }
  std::vector<StreamBatch> Read(int count = 100) {
    const std::vector<std::string> streams = {keys_.normal};
    return Value(ParseRead(Ask(ReadEvents(streams, count, Millis(0)))));
  }
  // A stored and read event: it stands on the pending list.
  Member Pending() {
    const Member member = Store(MakeEvent());
    Read();
    return member;
  }
  static OwedDelivery Parked(uint64_t endpoint, Millis delay = Millis(0)) {
    return {endpoint, OwedDelivery::State::kPending, delay, 0, ""};
  }
  Settlement Last(const Member& member, std::vector<OwedDelivery> owed, int accepted = 0) {
    return {member, Settlement::Kind::kLast, "acme", 18, accepted, std::move(owed)};
  }
  bool SettleOne(const Settlement& settlement) {
    return Value(ParseSettle(Run(Settle(keys_, owner_, {&settlement, 1})))).won.at(0);
  }
  // An event parked, due now, at each of the endpoints.
  Member Owed(const std::vector<uint64_t>& endpoints) {
    const Member member = Pending();
    std::vector<OwedDelivery> owed;
    for (const uint64_t endpoint : endpoints) owed.push_back(Parked(endpoint));
    EXPECT_TRUE(SettleOne(Last(member, owed)));
    return member;
  }
  std::vector<TakenDelivery> TakeAll(uint64_t endpoint, Millis lease = Millis(30000)) {
    return Value(ParseTake(Run(Take(keys_, owner_, endpoint, 100, lease, 1 << 20)))).deliveries;
  }
  Resolution ResolutionOf(const TakenDelivery& taken, uint64_t endpoint, Resolution::Kind kind,
                          Millis delay = Millis(0)) {
    return {taken.member, endpoint, taken.token, kind, delay, "", "acme", 18};
  }
  bool ResolveOne(const Resolution& item) {
    return Value(ParseResolve(Run(Resolve(keys_, owner_, {&item, 1})))).won.at(0);
  }
  int64_t Length(const std::string& verb, const std::string& key) {
    return Ask(RedisCommand(verb).Arg(key)).integer;
  }
  int64_t Entries() { return Length("XLEN", keys_.normal); }
  PartitionCounters Counters() { return Value(ParseCounters(Ask(ReadCounters(keys_)))); }
  FsckReply Check() {
    std::vector<uint64_t> endpoints = Value(ParseEndpoints(Ask(ListOwing(keys_))));
    return Value(ParseFsck(Run(Fsck(keys_, endpoints, 1000))));
  }
  void ExpectCleanBooks() {
    const FsckReply fsck = Check();
    EXPECT_EQ(fsck.breaches, std::vector<std::string>());
    EXPECT_TRUE(fsck.more.empty());
  }

  RedisProcess process_;
  SyncRedis redis_{process_.socket_path()};
  const PartitionKeys keys_ = PartitionKeys::For(0, 16);
  OwnerToken owner_;
  int events_ = 0;
};

}  // namespace relay

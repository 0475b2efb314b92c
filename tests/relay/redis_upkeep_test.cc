#include "relay/redis_upkeep.h"

#include <gmock/gmock.h>

#include "tests/support/partition_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RedisUpkeepTest : public PartitionTest {
 protected:
  Member Dead(uint64_t endpoint) {
    const Member member = Owed({endpoint});
    const auto taken = TakeAll(endpoint);
    EXPECT_TRUE(ResolveOne(ResolutionOf(taken.at(0), endpoint, Resolution::Kind::kDead)));
    return member;
  }
  std::vector<uint64_t> Owing() { return Value(ParseEndpoints(Ask(ListOwing(keys_)))); }
  std::string MillisecondOfRedis() {
    const RedisValue time = Ask(RedisCommand("TIME"));
    return time.items.at(0).text + " " + std::to_string(std::stoi(time.items.at(1).text) / 1000);
  }
  RecountReply RecountAll() { return Value(ParseRecount(Run(Recount(keys_, owner_, Owing())))); }
};

TEST_F(RedisUpkeepTest, OwnershipHasOneHolderAndAnEpochThatGrows) {
  EXPECT_FALSE(Value(ParseOwn(Run(TakeOwnership(keys_, "boot-2", Seconds(5))))).won);
  EXPECT_TRUE(Value(ParseOwn(Run(RenewOwnership(keys_, owner_, Seconds(5))))).won);
  const auto record = Value(ParseOwner(Ask(ReadOwner(keys_))));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->token, owner_);

  EXPECT_TRUE(Value(ParseOwn(Run(GiveBackOwnership(keys_, owner_)))).won);
  const OwnReply next = Value(ParseOwn(Run(TakeOwnership(keys_, "boot-2", Seconds(5)))));
  EXPECT_TRUE(next.won);
  EXPECT_EQ(next.epoch, owner_.epoch + 1);
  EXPECT_FALSE(Value(ParseOwn(Run(RenewOwnership(keys_, owner_, Seconds(5))))).won);
  EXPECT_FALSE(Value(ParseOwn(Run(GiveBackOwnership(keys_, owner_)))).won);
}

TEST_F(RedisUpkeepTest, HeartbeatsListTheLiving) {
  Run(Heartbeat("b2 host:1", Seconds(10)));
  EXPECT_THAT(Value(ParseHeartbeat(Run(Heartbeat("b1 host:0", Seconds(10))))),
              ElementsAre("b1 host:0", "b2 host:1"));
  EXPECT_THAT(Value(ParseHeartbeat(Run(Farewell("b2 host:1", Seconds(10))))),
              ElementsAre("b1 host:0"));
}

TEST_F(RedisUpkeepTest, RedriveMakesADeadLetterDueAgain) {
  const Member member = Dead(7);
  EXPECT_EQ(Counters().dead, 1);
  const auto redrive = RedriveRange(keys_, owner_, 7, 0, 9'000'000'000'000, 100);
  EXPECT_EQ(Value(ParseRedrive(Run(redrive))), 1);
  EXPECT_EQ(Value(ParseRedrive(Run(redrive))), 0);
  EXPECT_EQ(Counters().dead, 0);
  ExpectCleanBooks();
  const auto taken = TakeAll(7);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].member, member);
  EXPECT_EQ(taken[0].attempts, 0);
}

TEST_F(RedisUpkeepTest, RedriveOfNamedMembersPassesOverTheLiving) {
  const Member dead = Dead(7);
  const Member living = Owed({7});
  const Member members[] = {dead, living};
  EXPECT_EQ(Value(ParseRedrive(Run(RedriveMembers(keys_, owner_, 7, members)))), 1);
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, PurgeDropsWhatIsPendingAndDead) {
  Dead(7);
  Owed({7});
  const Member shared = Owed({7, 8});
  int64_t dropped = 0;
  for (bool more = true; more;) {
    const PurgeReply purge = Value(
        ParsePurge(Run(Purge(keys_, owner_, 7, "acme", PurgeScope::kDeadLettersAndRetries, 2))));
    dropped += static_cast<int64_t>(purge.dropped.size());
    more = purge.more;
  }
  EXPECT_EQ(dropped, 3);
  EXPECT_EQ(Entries(), 1);  // The other endpoint's.
  EXPECT_EQ(Counters().dropped, 3);
  EXPECT_THAT(Owing(), ElementsAre(8));
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, PurgeOfWhatWaitsLeavesTheDeadLetters) {
  const Member dead = Dead(7);
  const Member waiting = Owed({7, 8});
  Run(Hold(keys_, owner_, 7));
  const auto discard = [this] {
    return Value(ParsePurge(Run(Purge(keys_, owner_, 7, "acme", PurgeScope::kRetries, 10))));
  };
  EXPECT_THAT(discard().dropped, ElementsAre(waiting));
  EXPECT_FALSE(discard().more);
  EXPECT_EQ(Counters().dropped, 1);
  EXPECT_EQ(Counters().dead, 1);
  EXPECT_TRUE(Ask(RedisCommand("ZSCORE").Arg(keys_.DeadLetters(7)).Arg(dead.text())).is_text());
  EXPECT_EQ(Ask(RedisCommand("ZCARD").Arg(keys_.Retries(8))).integer, 1);
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, EventsSayWhoseTheyAreWhenTheCatalogDoesNot) {
  Dead(7);
  Owed({7});
  for (bool more = true; more;) {
    more = Value(ParsePurge(Run(Purge(keys_, owner_, 7, std::string(kTenantOfEvents),
                                      PurgeScope::kDeadLettersAndRetries, 10))))
               .more;
  }
  EXPECT_EQ(Ask(RedisCommand("HGET").Arg(keys_.tenants).Arg("acme/d")).text, "0");
  EXPECT_EQ(Ask(RedisCommand("HGET").Arg(keys_.tenants).Arg("acme/b")).text, "0");
  EXPECT_EQ(Ask(RedisCommand("HLEN").Arg(keys_.tenants)).integer, 2);
  EXPECT_THAT(Owing(), IsEmpty());
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, OfAHeldEndpointTheOldIsTaken) {
  const Member old = Owed({7});
  int64_t stored_ms = old.stored_ms();
  Member young = Owed({7});
  while (young.stored_ms() == stored_ms) young = Owed({7});
  Run(Hold(keys_, owner_, 7));
  const auto take = [this](int64_t before_ms) {
    return Value(ParseTake(Run(TakeOld(keys_, owner_, 7, 10, Millis(1000), 1 << 20, before_ms))))
        .deliveries;
  };
  EXPECT_THAT(take(old.stored_ms()), IsEmpty());
  const std::vector<TakenDelivery> taken = take(young.stored_ms());
  ASSERT_FALSE(taken.empty());
  EXPECT_EQ(taken[0].member, old);
  for (const TakenDelivery& delivery : taken) {
    EXPECT_LT(delivery.member.stored_ms(), young.stored_ms());
  }
  EXPECT_THAT(take(young.stored_ms()), IsEmpty());  // Leased.
  EXPECT_THAT(Value(ParseDue(Ask(NextDue(keys_, 10)))), IsEmpty());
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, WhatWasHeldComesBackOldestFirst) {
  std::vector<Member> held;
  Run(Hold(keys_, owner_, 7));
  for (int i = 0; i < 20; ++i) {
    held.push_back(Owed({7}));
    // Within a millisecond of Redis's clock there is no order.
    const std::string settled_at = MillisecondOfRedis();
    while (MillisecondOfRedis() == settled_at) {
    }
  }
  Run(Release(keys_, owner_, 7));
  std::vector<Member> back;
  for (const TakenDelivery& delivery : TakeAll(7)) back.push_back(delivery.member);
  EXPECT_EQ(back, held);
}

TEST_F(RedisUpkeepTest, PurgeOfNamedMembersLeavesTheOthers) {
  const Member first = Dead(7);
  Dead(7);
  const PurgeReply purge =
      Value(ParsePurge(Run(PurgeMembers(keys_, owner_, 7, "acme", {&first, 1}))));
  EXPECT_THAT(purge.dropped, ElementsAre(first));
  EXPECT_EQ(Counters().dead, 1);
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, HeldEndpointRestsUntilReleased) {
  EXPECT_TRUE(Value(ParseHold(Run(Hold(keys_, owner_, 7)))));
  EXPECT_FALSE(Value(ParseHold(Run(Hold(keys_, owner_, 7)))));
  Owed({7});
  EXPECT_THAT(Value(ParseDue(Ask(NextDue(keys_, 10)))), IsEmpty());
  EXPECT_THAT(TakeAll(7), IsEmpty());
  ExpectCleanBooks();
  EXPECT_TRUE(Value(ParseHold(Run(Release(keys_, owner_, 7)))));
  EXPECT_EQ(Value(ParseDue(Ask(NextDue(keys_, 10)))).size(), 1u);
  EXPECT_EQ(TakeAll(7).size(), 1u);
}

TEST_F(RedisUpkeepTest, OrphansComeBackToThePendingList) {
  const Member member = Pending();
  Ask(RedisCommand("XACK").Arg(keys_.normal).Arg(kGroup).Arg(member.entry_id()));
  EXPECT_THAT(Check().breaches, ElementsAre(HasSubstr("owed to nobody")));
  const OrphansReply orphans =
      Value(ParseOrphans(Run(RequeueOrphans(keys_, owner_, EventClass::kNormal, "-", 100))));
  EXPECT_THAT(orphans.requeued, ElementsAre(member));
  EXPECT_EQ(orphans.cursor, "");
  ExpectCleanBooks();
}

TEST_F(RedisUpkeepTest, RecountMendsIndexAndCounters) {
  Owed({7});
  Dead(8);
  Ask(RedisCommand("DEL").Arg(keys_.counters));
  Ask(RedisCommand("DEL").Arg(keys_.due));
  EXPECT_GT(Check().breaches_total, 2);
  const RecountReply recount = RecountAll();
  EXPECT_EQ(recount.owed, 2);
  EXPECT_EQ(recount.retries, 1);
  EXPECT_EQ(recount.dead, 1);
  EXPECT_EQ(recount.charged, 2);
  EXPECT_GT(recount.mended, 0);
  ExpectCleanBooks();
  EXPECT_EQ(RecountAll().mended, 0);
}

TEST_F(RedisUpkeepTest, RecountRefusesToForgetAnEndpoint) {
  Owed({7, 8});
  const std::vector<uint64_t> too_few = {7};
  EXPECT_EQ(ParseRecount(Run(Recount(keys_, owner_, too_few))).status().code(),
            StatusCode::kConflict);
  EXPECT_THAT(Value(ParseFsck(Run(Fsck(keys_, too_few, 10)))).more, ElementsAre(8));
}

TEST_F(RedisUpkeepTest, FsckNamesEachBreach) {
  const Member member = Owed({7});
  Ask(RedisCommand("XDEL").Arg(keys_.normal).Arg(member.entry_id()));
  Ask(RedisCommand("HSET").Arg(keys_.ref).Arg(member.text()).Arg("2"));
  Ask(RedisCommand("ZADD").Arg(keys_.DeadLetters(7)).Arg("1").Arg(member.text()));
  Ask(RedisCommand("HSET").Arg(keys_.tenants).Arg("acme/d").Arg("5"));
  Ask(RedisCommand("ZREM").Arg(keys_.due).Arg("7"));
  const FsckReply fsck = Check();
  for (const char* sentence :
       {"payload is gone", "has ref 2 and 1", "both pending and dead", "tenants are charged",
        "neither stands in ri nor in hold", "counter dead"}) {
    EXPECT_THAT(fsck.breaches, testing::Contains(HasSubstr(sentence)));
  }
  EXPECT_EQ(fsck.breaches_total, static_cast<int64_t>(fsck.breaches.size()));
}

}  // namespace
}  // namespace relay

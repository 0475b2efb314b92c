#include "relay/redis_scripts.h"

#include <gmock/gmock.h>

#include "relay/attempt_record.h"
#include "tests/support/partition_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using RedisScriptsTest = PartitionTest;
using Kind = Resolution::Kind;

TEST_F(RedisScriptsTest, StoredEventIsReadAsItWas) {
  const Event event = MakeEvent(std::string("{\"a\":\"\0\r\n\"}", 11));
  const Member member = Store(event);
  const auto batches = Read();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].stream, keys_.normal);
  ASSERT_EQ(batches[0].entries.size(), 1u);
  EXPECT_EQ(batches[0].entries[0].member, member);
  EXPECT_EQ(*batches[0].entries[0].event, event);
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(RedisScriptsTest, PendingListIsPagedAgain) {
  const Member first = Pending();
  const Member second = Pending();
  auto page = Value(ParseRead(Ask(ReadPending(keys_.normal, "0", 1))));
  ASSERT_EQ(page.at(0).entries.size(), 1u);
  EXPECT_EQ(page[0].entries[0].member, first);
  page = Value(ParseRead(Ask(ReadPending(keys_.normal, first.entry_id(), 10))));
  ASSERT_EQ(page.at(0).entries.size(), 1u);
  EXPECT_EQ(page[0].entries[0].member, second);
}

TEST_F(RedisScriptsTest, ClaimIsHeldByTheFirstEntryAndKnowsItAgain) {
  const Member first = Pending();
  const Member repeat = Pending();
  const auto claim = [this](const Member& member) {
    return Value(ParseClaim(Ask(ClaimEventId(keys_, "e1", member, Seconds(60))), member));
  };
  EXPECT_TRUE(claim(first));
  EXPECT_FALSE(claim(repeat));
  EXPECT_TRUE(claim(first));  // Read again after a crash: not a repeat of itself.
}

TEST_F(RedisScriptsTest, DoneReleasesThePayloadOnce) {
  const Settlement entries[] = {Last(Pending(), {}, 3),
                                {Pending(), Settlement::Kind::kRepeat, "acme", 18, 0, {}}};
  EXPECT_THAT(Value(ParseDone(Run(Done(keys_, owner_, entries)))), ElementsAre(true, true));
  EXPECT_THAT(Value(ParseDone(Run(Done(keys_, owner_, entries)))), ElementsAre(false, false));
  EXPECT_EQ(Entries(), 0);
  const PartitionCounters counters = Counters();
  EXPECT_EQ(counters.settled, 2);
  EXPECT_EQ(counters.ok, 3);
  EXPECT_EQ(counters.fan, 3);
  EXPECT_EQ(counters.repeats, 1);
  ExpectCleanBooks();
}

// As many endpoints as a tenant may have can all accept one event.
TEST_F(RedisScriptsTest, AnEventMayBeAcceptedByTensOfThousands) {
  const Settlement done[] = {Last(Pending(), {}, 50'000)};
  EXPECT_THAT(Value(ParseDone(Run(Done(keys_, owner_, done)))), ElementsAre(true));
  const Settlement settle[] = {Last(Pending(), {{.endpoint = 7, .record = {}}}, 50'000)};
  EXPECT_THAT(Value(ParseSettle(Run(Settle(keys_, owner_, settle)))).won, ElementsAre(true));
  EXPECT_EQ(Counters().ok, 100'000);
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, SettleKeepsThePayloadForWhatIsOwed) {
  const Member member = Owed({7, 8});
  EXPECT_EQ(Entries(), 1);
  EXPECT_EQ(Counters().pending(), 2);
  ExpectCleanBooks();

  auto taken = TakeAll(7);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].event->tenant, "acme");
  EXPECT_TRUE(ResolveOne(ResolutionOf(taken[0], 7, Kind::kOk)));
  EXPECT_EQ(Entries(), 1);
  ExpectCleanBooks();

  taken = TakeAll(8);
  EXPECT_TRUE(ResolveOne(ResolutionOf(taken.at(0), 8, Kind::kOk)));
  EXPECT_EQ(Entries(), 0);
  EXPECT_EQ(Length("SCARD", keys_.owing), 0);
  EXPECT_EQ(Counters().ok, 2);
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, LateSettleOwesNothingMore) {
  const Member member = Pending();
  EXPECT_TRUE(SettleOne(Last(member, {}, 1)));
  EXPECT_FALSE(SettleOne(Last(member, {Parked(7)})));
  EXPECT_EQ(Counters().fan, 1);
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, SoftSplitTokenResolvesTheLeasedDelivery) {
  const Member member = Pending();
  const Settlement split = Last(member, {Parked(7, Millis(20000))}, 2);
  const WonReply reply = Value(ParseSettle(Run(Settle(keys_, owner_, {&split, 1}))));
  EXPECT_THAT(TakeAll(7), IsEmpty());  // Leased to us already.

  Resolution item{member, 7, ScoreOf(reply.now_ms + 20000, 0), Kind::kFail, Millis(5), "",
                  "acme", 18};
  item.token += 1;
  EXPECT_FALSE(ResolveOne(item));
  item.token -= 1;
  EXPECT_TRUE(ResolveOne(item));
  EXPECT_FALSE(ResolveOne(item));  // The token has moved with the new due time.
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, ChunkKeepsItsEntryPendingUntilTheLast) {
  const Member member = Pending();
  Settlement chunk = Last(member, {Parked(1), Parked(2)}, 1);
  chunk.kind = Settlement::Kind::kChunk;
  EXPECT_TRUE(SettleOne(chunk));
  // All of the first chunk is over before the last one comes: the payload must stay.
  for (const uint64_t endpoint : {1, 2}) {
    EXPECT_TRUE(ResolveOne(ResolutionOf(TakeAll(endpoint).at(0), endpoint, Kind::kOk)));
  }
  EXPECT_EQ(Entries(), 1);
  EXPECT_TRUE(SettleOne(Last(member, {Parked(3)})));
  EXPECT_EQ(TakeAll(3).at(0).event->tenant, "acme");
  EXPECT_EQ(Counters().fan, 4);
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, FailCountsAnAttemptAndParkDoesNot) {
  Owed({7});
  auto taken = TakeAll(7).at(0);
  EXPECT_EQ(taken.attempts, 0);
  EXPECT_TRUE(ResolveOne(ResolutionOf(taken, 7, Kind::kFail)));
  taken = TakeAll(7).at(0);
  EXPECT_EQ(taken.attempts, 1);
  EXPECT_TRUE(ResolveOne(ResolutionOf(taken, 7, Kind::kPark)));
  EXPECT_EQ(TakeAll(7).at(0).attempts, 1);
}

TEST_F(RedisScriptsTest, HistoryHoldsTheLastSixteenAttempts) {
  const Member member = Owed({7});
  for (int status = 500; status < 520; ++status) {
    Resolution item = ResolutionOf(TakeAll(7).at(0), 7, Kind::kFail);
    item.record = EncodeAttempt(AttemptOutcome::kRejected, status, Micros(1000));
    ASSERT_TRUE(ResolveOne(item));
  }
  const RedisValue bytes = Ask(RedisCommand("HGET").Arg(keys_.history).Arg(member.text() + "/7"));
  const auto history = Value(DecodeHistory(bytes.text));
  ASSERT_EQ(history.size(), kAttemptsKept);
  EXPECT_EQ(history.front().status, 504);
  EXPECT_EQ(history.back().status, 519);
  EXPECT_GT(history.back().at_ms, 1'500'000'000'000);

  EXPECT_TRUE(ResolveOne(ResolutionOf(TakeAll(7).at(0), 7, Kind::kOk)));
  EXPECT_EQ(Length("HLEN", keys_.history), 0);
}

TEST_F(RedisScriptsTest, TakeStopsAtItsBytesButGivesOne) {
  Owed({7});
  Owed({7});
  const TakeReply taken = Value(ParseTake(Run(Take(keys_, owner_, 7, 10, Millis(1000), 1))));
  EXPECT_EQ(taken.deliveries.size(), 1u);
}

TEST_F(RedisScriptsTest, IndexNamesTheNextDueTime) {
  const Member member = Pending();
  EXPECT_TRUE(SettleOne(Last(member, {Parked(7, Millis(50000)), Parked(8, Millis(90000))})));
  const auto due = Value(ParseDue(Ask(NextDue(keys_, 10))));
  ASSERT_EQ(due.size(), 2u);
  EXPECT_EQ(due[0].endpoint, 7u);
  EXPECT_EQ(due[1].due_ms - due[0].due_ms, 40000);
}

TEST_F(RedisScriptsTest, SettleCanDeclareADeliveryDead) {
  const Member member = Pending();
  OwedDelivery dead{7, OwedDelivery::State::kDead, Millis(0), 0,
                    EncodeAttempt(AttemptOutcome::kEndpointDisabled, 0, Micros(0))};
  EXPECT_TRUE(SettleOne(Last(member, {dead})));
  EXPECT_EQ(Length("ZCARD", keys_.DeadLetters(7)), 1);
  EXPECT_EQ(Counters().dead, 1);
  EXPECT_EQ(Entries(), 1);
  ExpectCleanBooks();
}

TEST_F(RedisScriptsTest, FormerOwnerChangesNothing) {
  const Member member = Owed({7});
  const TakenDelivery taken = TakeAll(7).at(0);
  const Member pending = Pending();
  Ask(RedisCommand("SET").Arg(keys_.own).Arg("9 boot-2 99999999999999"));

  const Settlement settlement = Last(pending, {}, 1);
  const Resolution item = ResolutionOf(taken, 7, Kind::kOk);
  for (const ScriptCall& call :
       {Settle(keys_, owner_, {&settlement, 1}), Done(keys_, owner_, {&settlement, 1}),
        Resolve(keys_, owner_, {&item, 1}), Take(keys_, owner_, 7, 1, Millis(1), 1)}) {
    const RedisValue reply = Run(call);
    EXPECT_TRUE(reply.is_error("STALE")) << DebugString(reply);
    EXPECT_EQ(ParseSettle(reply).status().code(), StatusCode::kConflict);
  }
  EXPECT_EQ(Entries(), 2);
  EXPECT_EQ(Counters().settled, 1);
}

TEST_F(RedisScriptsTest, WrongArgumentsAreRefusedBeforeAnyWrite) {
  const Member member = Pending();
  const Settlement twice[] = {Last(member, {Parked(7)}), Last(member, {Parked(7)})};
  EXPECT_TRUE(Run(Settle(keys_, owner_, twice)).is_error("BADARG"));
  const Settlement same_endpoint = Last(member, {Parked(7), Parked(7)});
  EXPECT_TRUE(Run(Settle(keys_, owner_, {&same_endpoint, 1})).is_error("BADARG"));
  Settlement bad_record = Last(member, {Parked(7)});
  bad_record.owed[0].record = "four";
  EXPECT_TRUE(Run(Settle(keys_, owner_, {&bad_record, 1})).is_error("BADARG"));
  EXPECT_EQ(Length("HLEN", keys_.ref), 0);
  EXPECT_EQ(Entries(), 1);
}

TEST_F(RedisScriptsTest, GroupsAreCreatedOnceAndKeepWhatTheyKnow) {
  EXPECT_EQ(Run(CreateGroups(keys_)).integer, 0);  // The fixture has done it.
  const Member member = Pending();
  EXPECT_EQ(Run(CreateGroups(keys_)).integer, 0);
  EXPECT_THAT(Read(), IsEmpty());
  Ask(RedisCommand("XGROUP").Arg("DESTROY").Arg(keys_.normal).Arg(kGroup));
  EXPECT_EQ(Run(CreateGroups(keys_)).integer, 1);
  EXPECT_EQ(Read().at(0).entries.at(0).member, member);
}

// When memory is full the broker is refused, and the workers can still release.
TEST_F(RedisScriptsTest, FullMemoryRefusesTheStoreAndNotTheSettle) {
  const Member member = Pending();
  Ask(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory").Arg("1mb"));
  EXPECT_TRUE(Ask(StoreEvent(keys_, MakeEvent())).is_error("OOM"));
  EXPECT_TRUE(SettleOne(Last(member, {Parked(7)})));
  EXPECT_TRUE(ResolveOne(ResolutionOf(TakeAll(7).at(0), 7, Kind::kOk)));
  EXPECT_EQ(Entries(), 0);
}

}  // namespace
}  // namespace relay

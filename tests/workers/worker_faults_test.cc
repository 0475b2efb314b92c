// What a worker does when leases, connections or other workers fail it, and when it is told to go.

#include "tests/workers/worker_fixture.h"

namespace relay {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

int64_t CountAsked(const FakeRedisCall& call) {
  for (size_t i = 0; i + 1 < call.args.size(); ++i) {
    if (call.args[i] == "COUNT") return std::stoll(call.args[i + 1]);
  }
  return -1;
}

// ---- Reading

TEST_F(WorkerTest, APendingListIsAdoptedBeforeAnythingNewIsRead) {
  AddEndpoint("a");
  pending_pages_.push_back(Entries({{7, EventNamed("left-behind")}}));
  StartWorker();
  ASSERT_THAT(http_.requests(), SizeIs(1));
  EXPECT_EQ(http_.requests()[0].Header("webhook-id"), "left-behind");
  EXPECT_EQ(reader_.unanswered(), 1u);
}

TEST_F(WorkerTest, NeverMoreIsAskedForThanThereIsCreditFor) {
  settings_.worker.credit = 20;
  AddEndpoint("a").in_flight_max = 1000;
  StartWorker();
  EXPECT_EQ(CountAsked(reader_.Oldest()), 20);
  std::vector<std::pair<int, Event>> events;
  for (int i = 1; i <= 15; ++i) events.emplace_back(i, EventNamed("e" + std::to_string(i)));
  Deliver(events);
  EXPECT_EQ(CountAsked(reader_.Oldest()), 5);
  events.clear();
  for (int i = 16; i <= 20; ++i) events.emplace_back(i, EventNamed("e" + std::to_string(i)));
  Deliver(events);
  EXPECT_EQ(reader_.unanswered(), 0u);  // All credit is in use.
  for (size_t i = 0; i < 3; ++i) http_.Answer(i, 200);
  loop_.RunReady();
  EXPECT_EQ(CountAsked(reader_.Oldest()), 3);
}

// A frozen former owner may have read them after its lease had gone.
TEST_F(WorkerTest, PendingEntriesThatNobodyHoldsAreTakenUpAtTheSecondLook) {
  AddEndpoint("a");
  StartWorker();
  pending_ids_ = {"9-0"};
  loop_.Advance(StreamConsumer::kRescanEvery);
  EXPECT_THAT(http_.requests(), IsEmpty());
  pending_pages_.push_back(Entries({{8, EventNamed("held-elsewhere")}, {9, EventNamed("lost")}}));
  loop_.Advance(StreamConsumer::kRescanEvery);
  ASSERT_THAT(http_.requests(), SizeIs(1));
  EXPECT_EQ(http_.requests()[0].Header("webhook-id"), "lost");
}

TEST_F(WorkerTest, AnEntryThatCannotBeDecodedStaysPendingAndIsReadOnce) {
  AddEndpoint("a");
  StartWorker();
  reader_.Answer(RedisValue::Array({RedisValue::Array(
      {RedisValue::Text(PartitionKeys::For(0, 1).normal),
       RedisValue::Array({RedisValue::Array(
           {RedisValue::Text("1-0"),
            RedisValue::Array({RedisValue::Text("what"), RedisValue::Text("is it")})})})})}));
  pending_ids_ = {"1-0"};
  loop_.Advance(StreamConsumer::kRescanEvery * 4);
  EXPECT_THAT(settled_, IsEmpty());
  EXPECT_THAT(metrics_.Text(), ::testing::HasSubstr("relay_undecodable_entries 1"));
  Deliver({{2, EventNamed("e2")}});
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(WorkerTest, AMissingGroupIsCreatedAgain) {
  AddEndpoint("a");
  StartWorker();
  const int before = redis_.CountOf("create_groups");
  reader_.Answer(RedisValue::Error("NOGROUP No such key"));
  loop_.Advance(StreamConsumer::kPause);
  EXPECT_EQ(redis_.CountOf("create_groups"), before + 1);
  Deliver({{1, EventNamed("e1")}});
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

// ---- Retries

TEST_F(WorkerTest, ARedrivenLoopDiesAgainWithoutAnAttempt) {
  AddEndpoint("a");
  StartWorker();
  Event looping = EventNamed("e1");
  looping.headers = "relay-hops: 4\n";
  MakeDue(1, 3, looping, 0, 6400);
  loop_.Advance(RetryScheduler::kPollMax);
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "dead");
}

TEST_F(WorkerTest, ADueRetryIsTakenAndItsOutcomeResolved) {
  AddEndpoint("a").retry_jitter = 0;
  StartWorker();
  MakeDue(1, 3, EventNamed("e3"), 1, 6401);
  MakeDue(1, 4, EventNamed("e4"), 2, 6402);
  loop_.Advance(RetryScheduler::kPollMax);
  ASSERT_THAT(http_.requests(), SizeIs(2));
  EXPECT_EQ(
      http_.requests()[0].Header("relay-attempt") + http_.requests()[1].Header("relay-attempt"),
      "23");
  for (size_t i = 0; i < 2; ++i) {
    http_.Answer(i, http_.requests()[i].Header("webhook-id") == "e3" ? 200 : 500);
  }
  loop_.RunReady();
  ASSERT_THAT(resolved_, SizeIs(2));
  for (const Resolved& resolved : resolved_) {
    EXPECT_EQ(resolved.kind, resolved.member == "n3-0" ? "ok" : "fail");
    EXPECT_EQ(resolved.token, resolved.member == "n3-0" ? 6401 : 6402);
    EXPECT_EQ(resolved.delay_ms, resolved.member == "n3-0" ? 0 : 30'000);
  }
}

TEST_F(WorkerTest, NoMoreRetriesAreTakenThanCanStart) {
  AddEndpoint("a").in_flight_max = 2;
  StartWorker();
  for (int i = 1; i <= 5; ++i) MakeDue(1, i, EventNamed("e" + std::to_string(i)), 1, 640 + i);
  loop_.Advance(RetryScheduler::kPollMax);
  EXPECT_EQ(http_.open_requests(), 2);
  EXPECT_THAT(due_["1"], SizeIs(3));
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_EQ(http_.open_requests(), 2);  // The slot was filled at once.
}

TEST_F(WorkerTest, RetriesOfAnEndpointThatLeftTheCatalogAreDroppedAfterItWasReadAnew) {
  AddEndpoint("a");
  StartWorker();
  MakeDue(42, 3, EventNamed("e3"), 1, 6401);
  loop_.Advance(Seconds(3));
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "drop");
}

// ---- Faults

TEST_F(WorkerTest, ResultsOfAnotherRedisProcessAreDroppedAndTheEntryReadAgain) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  redis_.TakeDown();
  reader_.TakeDown();
  loop_.RunReady();
  pending_pages_.push_back(Entries({{1, EventNamed("e1")}}));
  redis_.BringUp("run-2");
  reader_.BringUp("run-2");
  loop_.RunReady();
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, IsEmpty());
  ASSERT_THAT(http_.requests(), SizeIs(2));
  EXPECT_EQ(http_.requests()[1].Header("webhook-id"), "e1");
  http_.Answer(1, 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, SizeIs(1));
}

TEST_F(WorkerTest, ALostConnectionToTheSameRedisCostsNoDelivery) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  redis_.TakeDown();
  reader_.TakeDown();
  http_.Answer(0, 200);
  loop_.Advance(Seconds(2));
  EXPECT_THAT(settled_, IsEmpty());
  redis_.BringUp("run-1");
  reader_.BringUp("run-1");
  loop_.Advance(Seconds(1));
  EXPECT_THAT(settled_, SizeIs(1));
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(WorkerTest, AClaimWithoutAnAnswerIsMadeAgain) {
  AddEndpoint("a");
  StartWorker();
  redis_.Off("SET");
  Deliver({{1, EventNamed("e1")}});
  redis_.TakeDown();
  loop_.RunReady();
  EXPECT_THAT(http_.requests(), IsEmpty());
  redis_.On("SET", RedisValue::Text("1-0"));  // The first one had come through.
  redis_.BringUp("run-1");
  loop_.Advance(Seconds(1));
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(WorkerTest, ALostLeaseEndsTheWorkUnderIt) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  server_.leases.begin()->second = {9, "boot2", now_ms() + 60'000};
  server_.others = {"boot2 host/1"};
  loop_.Advance(PartitionOwner::kRenewEvery);
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, IsEmpty());
  EXPECT_EQ(worker_->partitions_owned(), 0);
}

// ---- Draining

TEST_F(WorkerTest, ADrainSettlesWhatIsInFlightAndGivesThePartitionsBack) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  bool drained = false;
  worker_->Drain([&drained] { drained = true; });
  loop_.Advance(Seconds(1));
  EXPECT_FALSE(drained);
  // What the read under way still brings is begun by nobody: it is parked, due now.
  Deliver({{2, EventNamed("e2")}});
  EXPECT_EQ(reader_.unanswered(), 0u);
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].member, "n2-0");
  EXPECT_EQ(settled_[0].owed[0].delay_ms, 0);
  http_.Answer(0, 200);
  loop_.Advance(Seconds(1));
  EXPECT_TRUE(drained);
  EXPECT_THAT(settled_, SizeIs(2));
  EXPECT_THAT(http_.requests(), SizeIs(1));
  EXPECT_EQ(server_.leases.begin()->second.deadline_ms, 0);
}

TEST_F(WorkerTest, WhatOutlivesTheDrainIsAbortedAndParkedAsDueNow) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  bool drained = false;
  worker_->Drain([&drained] { drained = true; });
  Deliver({});
  loop_.Advance(settings_.worker.split_after);
  ASSERT_THAT(settled_, SizeIs(1));  // The soft split.
  loop_.Advance(settings_.worker.drain);
  EXPECT_TRUE(drained);
  EXPECT_EQ(http_.open_requests(), 0);
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "park");
  EXPECT_EQ(resolved_[0].delay_ms, 0);
}

TEST_F(WorkerTest, ADrainWithoutRedisEndsAllTheSame) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  redis_.TakeDown();
  reader_.TakeDown();
  bool drained = false;
  worker_->Drain([&drained] { drained = true; });
  loop_.Advance(settings_.worker.drain + Worker::kDrainGrace + Seconds(1));
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace relay

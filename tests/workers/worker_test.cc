// The worker from stream entry to settlement, on fakes.

#include "workers/worker.h"

#include "tests/workers/worker_fixture.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(WorkerTest, AnEventGoesToEveryEndpointAndIsSettledOnce) {
  AddEndpoint("a");
  AddEndpoint("b");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  ASSERT_THAT(http_.requests(), SizeIs(2));
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, IsEmpty());
  http_.Answer(1, 204);
  loop_.RunReady();
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].member, "n1-0");
  EXPECT_EQ(settled_[0].kind, "L");
  EXPECT_EQ(settled_[0].accepted, 2);
  EXPECT_THAT(settled_[0].owed, IsEmpty());
}

TEST_F(WorkerTest, AnEventThatMatchesNobodyIsSettledAtOnce) {
  AddEndpoint("a").pattern = R"({"event_type":[7]})";
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].accepted, 0);
}

TEST_F(WorkerTest, AFailureIsWrittenAsARetryWithItsRecord) {
  AddEndpoint("a");
  AddEndpoint("b").retry_jitter = 0;
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(RequestTo("a"), 200);
  http_.Answer(RequestTo("b"), 500);
  loop_.RunReady();
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].accepted, 1);
  ASSERT_THAT(settled_[0].owed, SizeIs(1));
  const Owed& owed = settled_[0].owed[0];
  EXPECT_EQ(owed.endpoint, "2");
  EXPECT_EQ(owed.state, "p");
  EXPECT_EQ(owed.delay_ms, 1000);
  EXPECT_EQ(owed.attempts, 1);
  EXPECT_EQ(owed.record, EncodeAttempt(AttemptOutcome::kRejected, 500, Micros(0)));
}

TEST_F(WorkerTest, AnAttemptEndsInTheLogWithItsSplitItsAnswerAndWhatComesNext) {
  AddEndpoint("a").retry_jitter = 0;
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  loop_.Advance(Millis(80));
  HttpReply reply;
  reply.status = 500;
  reply.answer = "no";
  reply.answer_whole = true;
  reply.connect = Millis(10);
  reply.tls = Millis(20);
  reply.first_byte = Millis(40);
  http_.Answer(RequestTo("a"), reply);
  loop_.RunReady();
  AttemptLogRecord expected;
  expected.event_id = "e1";
  expected.endpoint = 1;
  expected.attempt = 1;
  expected.at_ms = MillisSinceEpoch(loop_.clock().WallNow());
  expected.outcome = AttemptOutcome::kRejected;
  expected.fate = AttemptFate::kRetry;
  expected.status = 500;
  expected.times = {Micros(0), Millis(10), Millis(20), Millis(40), Millis(80)};
  expected.due_ms = expected.at_ms + 1000;
  expected.answer = "no";
  EXPECT_THAT(Logged(), ElementsAre(expected));
}

TEST_F(WorkerTest, ASuccessAfterAFailureIsLoggedAsTheSecondAttempt) {
  AddEndpoint("a");
  StartWorker();
  MakeDue(1, 1, EventNamed("e1"), 1, 6400);
  loop_.Advance(Seconds(2));
  http_.Answer(RequestTo("a"), 200);
  loop_.RunReady();
  const std::vector<AttemptLogRecord> logged = Logged();
  ASSERT_THAT(logged, SizeIs(1));
  EXPECT_EQ(logged[0].attempt, 2);
  EXPECT_EQ(logged[0].fate, AttemptFate::kDelivered);
  EXPECT_EQ(logged[0].due_ms, 0);
}

TEST_F(WorkerTest, ADeliveryThatDiesUnsentIsLoggedWithoutAnAttempt) {
  AddEndpoint("a");
  states_["1"] = R"({"disabled":true,"paused":false,"reason":"by hand","since_ms":1})";
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  const std::vector<AttemptLogRecord> logged = Logged();
  ASSERT_THAT(logged, SizeIs(1));
  EXPECT_EQ(logged[0].attempt, 0);
  EXPECT_EQ(logged[0].outcome, AttemptOutcome::kEndpointDisabled);
  EXPECT_EQ(logged[0].fate, AttemptFate::kDead);
}

TEST_F(WorkerTest, NothingIsLoggedWhereConfSaysSo) {
  settings_.attempt_log.enabled = false;
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(RequestTo("a"), 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, SizeIs(1));
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(WorkerTest, NothingIsLoggedWhileRedisRunsOutOfMemory) {
  memory_share_ = settings_.broker.shed_at;
  AddEndpoint("a");
  StartWorker();
  loop_.Advance(Seconds(1));
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(RequestTo("a"), 200);
  loop_.RunReady();
  EXPECT_THAT(settled_, SizeIs(1));
  EXPECT_THAT(Logged(), IsEmpty());
}

TEST_F(WorkerTest, WhatTheLogHasGatheredIsWrittenBeforeAPartitionIsGivenBack) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(RequestTo("a"), 200);
  loop_.RunReady();
  EXPECT_EQ(redis_.CountOf("XADD"), 0);
  worker_->Drain([] {});
  reader_.Answer(Entries({}));
  loop_.Advance(Worker::kDrainTick);
  EXPECT_EQ(redis_.CountOf("XADD"), 1) << "well before kGather is over";
}

// One slow endpoint must hold up neither the entry nor the other endpoints.
TEST_F(WorkerTest, AfterTwoSecondsTheUnfinishedGoesOnUnderALease) {
  AddEndpoint("fast");
  AddEndpoint("slow");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(RequestTo("fast"), 200);
  loop_.Advance(settings_.worker.split_after - Millis(1));
  EXPECT_THAT(settled_, IsEmpty());
  loop_.Advance(Millis(1));
  ASSERT_THAT(settled_, SizeIs(1));
  const int64_t lease_ends = now_ms() + 15'000 + 5'000;
  ASSERT_THAT(settled_[0].owed, SizeIs(1));
  EXPECT_EQ(settled_[0].owed[0].delay_ms, 20'000);
  EXPECT_EQ(settled_[0].owed[0].attempts, 0);
  EXPECT_EQ(http_.open_requests(), 1);

  loop_.Advance(Seconds(5));
  http_.Answer(RequestTo("slow"), 200);
  loop_.RunReady();
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "ok");
  EXPECT_EQ(resolved_[0].endpoint, "2");
  EXPECT_EQ(resolved_[0].token, ScoreOf(lease_ends, 0));
  EXPECT_THAT(settled_, SizeIs(1));
}

TEST_F(WorkerTest, AnOutcomeThatOvertakesTheLeaseWaitsForIt) {
  AddEndpoint("slow").retry_jitter = 0;
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  redis_.Off("settle");
  loop_.Advance(settings_.worker.split_after);
  ASSERT_EQ(redis_.Oldest().verb, "settle");
  http_.Answer(0, 500);
  loop_.RunReady();
  EXPECT_THAT(resolved_, IsEmpty());
  redis_.Answer(
      RedisValue::Array({RedisValue::Integer(5000), RedisValue::Array({RedisValue::Integer(1)})}));
  loop_.RunReady();
  ASSERT_THAT(resolved_, SizeIs(1));
  EXPECT_EQ(resolved_[0].kind, "fail");
  EXPECT_EQ(resolved_[0].token, ScoreOf(25'000, 0));
  EXPECT_EQ(resolved_[0].delay_ms, 1000);
}

TEST_F(WorkerTest, ARepeatIsSettledAndNotDelivered) {
  AddEndpoint("a");
  http_.AnswerAllWith(200);
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  Deliver({{2, EventNamed("e1")}, {3, EventNamed("e2")}});
  ASSERT_THAT(settled_, SizeIs(3));
  EXPECT_THAT(http_.requests(), SizeIs(2));
  int repeats = 0;
  for (const Settled& settled : settled_) {
    if (settled.kind != "R") continue;
    ++repeats;
    EXPECT_EQ(settled.member, "n2-0");
  }
  EXPECT_EQ(repeats, 1);
}

// A Redis that is full refuses claims, and must be emptied all the same.
TEST_F(WorkerTest, AFullRedisIsEmptiedWithoutClaims) {
  AddEndpoint("a");
  http_.AnswerAllWith(200);
  redis_.On("SET", RedisValue::Error("OOM command not allowed"));
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  EXPECT_THAT(settled_, SizeIs(1));
}

TEST_F(WorkerTest, WhatALaneHasNoRoomForIsParkedAtOnce) {
  AddEndpoint("a").in_flight_max = 1;
  StartWorker();
  std::vector<std::pair<int, Event>> events;
  for (int i = 1; i <= 15; ++i) events.emplace_back(i, EventNamed("e" + std::to_string(i)));
  Deliver(events);
  EXPECT_EQ(http_.open_requests(), 1);
  ASSERT_FALSE(settled_.empty());
  for (const Settled& settled : settled_) {
    ASSERT_THAT(settled.owed, SizeIs(1));
    EXPECT_EQ(settled.owed[0].delay_ms, 0);
    EXPECT_EQ(settled.owed[0].attempts, 0);
    EXPECT_EQ(settled.owed[0].record, "");
  }
  const size_t parked = settled_.size();
  // A slot that gets free goes to the queue, in order.
  http_.Answer(0, 200);
  loop_.RunReady();
  EXPECT_EQ(http_.open_requests(), 1);
  EXPECT_EQ(http_.requests()[1].Header("webhook-id"), "e2");
  EXPECT_THAT(settled_, SizeIs(parked + 1));
}

TEST_F(WorkerTest, APausedEndpointIsOwedButNotCalled) {
  AddEndpoint("a").state = EndpointState::kPaused;
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(settled_, SizeIs(1));
  ASSERT_THAT(settled_[0].owed, SizeIs(1));
  EXPECT_EQ(settled_[0].owed[0].state, "p");
  EXPECT_EQ(redis_.CountOf("hold"), 0);

  MakeDue(1, 1, EventNamed("e1"), 0, 640);
  redis_.On("hold", [this](const FakeRedisCall&) {
    due_.clear();
    return RedisValue::Array({RedisValue::Integer(now_ms()), RedisValue::Integer(1)});
  });
  loop_.Advance(Seconds(5));
  EXPECT_EQ(redis_.CountOf("hold"), 1);
  EXPECT_EQ(redis_.CountOf("take"), 0);
}

TEST_F(WorkerTest, WhatComesForAPausedEndpointBeyondTheTenantsQuotaDies) {
  AddEndpoint("a").state = EndpointState::kPaused;
  catalog_.tenants[0].limits.held_deliveries = 1;
  StartWorker();
  // Only now: the catalog, too, is read with this verb.
  redis_.On("HMGET", RedisValue::Array({RedisValue::Text("1"), RedisValue::Text("10")}));
  redis_.On("ZCARD", RedisValue::Integer(1));
  Deliver({{1, EventNamed("e1")}});
  loop_.Advance(PausedQuota::kInterval + Millis(100));
  Deliver({{2, EventNamed("e2")}});
  ASSERT_THAT(settled_, SizeIs(2));
  EXPECT_EQ(settled_[0].owed[0].state, "p");
  EXPECT_EQ(settled_[1].owed[0].state, "d");
  EXPECT_EQ(settled_[1].owed[0].record, EncodeAttempt(AttemptOutcome::kHeldQuota, 0, Micros(0)));
}

TEST_F(WorkerTest, WhatOutlivesItsTimeWhileItIsHeldDiesThere) {
  AddEndpoint("a").state = EndpointState::kPaused;
  catalog_.tenants[0].endpoints[0].deliver_within = Seconds(60);
  redis_.On("SMEMBERS", [](const FakeRedisCall& call) {
    std::vector<RedisValue> members;
    if (call.args[0].ends_with(":hold")) members.push_back(RedisValue::Text("1"));
    return RedisValue::Array(std::move(members));
  });
  StartWorker();
  loop_.Advance(Seconds(40));
  int64_t cutoff = -1;
  for (const FakeRedisCall& call : redis_.calls()) {
    if (call.verb == "take") cutoff = std::stoll(call.args[6]);
  }
  EXPECT_LE(cutoff, now_ms() - 60'000);
  EXPECT_GE(cutoff, now_ms() - 100'000);

  Event old = EventNamed("e1");
  old.accepted_us = MicrosSinceEpoch(loop_.clock().WallNow()) - 61'000'000;
  MakeDue(1, 1, old, 0, 640);
  Event young = EventNamed("e2");
  young.accepted_us = MicrosSinceEpoch(loop_.clock().WallNow()) + 60'000'000;
  MakeDue(1, 2, young, 0, 704);
  loop_.Advance(RetryScheduler::kHeldLook + Seconds(1));
  ASSERT_THAT(resolved_, SizeIs(2));
  EXPECT_EQ(resolved_[0].kind, "dead");
  EXPECT_EQ(resolved_[1].kind, "park");
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(WorkerTest, TheBacklogOfAnEndpointThatLeftTheCatalogIsDropped) {
  AddEndpoint("a");
  AddEndpoint("b");
  redis_.On("SMEMBERS", [](const FakeRedisCall& call) {
    std::vector<RedisValue> members;
    if (call.args[0].ends_with(":eps")) {
      members = {RedisValue::Text("1"), RedisValue::Text("2")};
    }
    return RedisValue::Array(std::move(members));
  });
  int purges = 0;
  redis_.On("purge", [&](const FakeRedisCall& call) {
    EXPECT_EQ(call.args[1], "2");
    std::vector<RedisValue> dropped;
    const bool more = ++purges < 3;
    if (more) dropped.push_back(RedisValue::Text("n" + std::to_string(purges) + "-0"));
    return RedisValue::Array({RedisValue::Integer(now_ms()), RedisValue::Array(std::move(dropped)),
                              RedisValue::Integer(more ? 1 : 0)});
  });
  StartWorker();
  loop_.Advance(Seconds(2));
  EXPECT_EQ(purges, 0);
  catalog_.tenants[0].endpoints.pop_back();
  PublishCatalog();
  loop_.Advance(Seconds(2));
  EXPECT_EQ(purges, 3);
}

TEST_F(WorkerTest, AnEndpointThatIsGoneIsDisabledAndItsEventsDie) {
  AddEndpoint("a");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 410);
  loop_.RunReady();
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].owed[0].state, "d");
  EXPECT_EQ(redis_.CountOf("endpoint_state"), 1);

  loop_.Advance(CatalogStore::kPollInterval * 2);
  Deliver({{2, EventNamed("e2")}});
  EXPECT_THAT(http_.requests(), SizeIs(1));
  ASSERT_THAT(settled_, SizeIs(2));
  EXPECT_EQ(settled_[1].owed[0].state, "d");
  EXPECT_EQ(settled_[1].owed[0].record,
            EncodeAttempt(AttemptOutcome::kEndpointDisabled, 0, Micros(0)));
}

TEST_F(WorkerTest, AnEventPastItsDeadlineDiesWithoutAnAttempt) {
  AddEndpoint("a").deliver_within = std::chrono::hours(1);
  StartWorker();
  Event old = EventNamed("e1");
  old.accepted_us -= Micros(std::chrono::hours(2)).count();
  Deliver({{1, old}});
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].owed[0].record, EncodeAttempt(AttemptOutcome::kExpired, 0, Micros(0)));
}

TEST_F(WorkerTest, AnEventThatRunsInACircleDies) {
  AddEndpoint("a");
  StartWorker();
  Event looping = EventNamed("e1");
  looping.headers = "relay-hops: 4\n";
  Deliver({{1, looping}});
  EXPECT_THAT(http_.requests(), IsEmpty());
  ASSERT_THAT(settled_, SizeIs(1));
  EXPECT_EQ(settled_[0].owed[0].record, EncodeAttempt(AttemptOutcome::kLoop, 0, Micros(0)));
}

// An endpoint added a moment ago is owed what was accepted since.
TEST_F(WorkerTest, AnEventRoutedUnderANewerCatalogWaitsForIt) {
  AddEndpoint("a");
  StartWorker();
  AddEndpoint("b");
  PublishCatalog();
  Event event = EventNamed("e1");
  event.catalog_version = 2;
  Deliver({{1, event}});
  ASSERT_THAT(http_.requests(), SizeIs(2));
  RequestTo("b");
}

TEST_F(WorkerTest, WithoutACatalogNoPartitionIsTaken) {
  catalogs_ = nullptr;
  redis_.On("HGET", RedisValue::Nil());
  redis_.On("HMGET", RedisValue::Array({RedisValue::Nil(), RedisValue::Nil(), RedisValue::Nil()}));
  CatalogStore store(loop_, redis_, box_, *log_);
  Attempts attempts(loop_, http_, resolver_, guard_, settings_.delivery, random_);
  Worker worker({loop_, redis_, reader_, store, attempts, random_, *log_, metrics_}, settings_,
                "boot1", "host/0");
  worker.Start();
  loop_.Advance(Seconds(3));
  EXPECT_EQ(redis_.CountOf("own"), 0);
  EXPECT_THAT(worker.NotReady(), ElementsAre(::testing::HasSubstr("relayctl apply")));
}

}  // namespace
}  // namespace relay

// What the book of streams tells with each delivery, and what of it outlives a worker.

#include "workers/stream_book.h"

#include "tests/workers/worker_fixture.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StreamBookTest : public WorkerTest {
 protected:
  StreamBookTest() {
    catalog_.sources.resize(1);
    catalog_.sources[0].id = "demo";
    catalog_.sources[0].path = "demo";
    catalog_.sources[0].provider = "tencent-live";
    AddEndpoint("a").retry_jitter = 0;
  }

  static Event PushEvent(const std::string& type, const std::string& sequence, int64_t time_s) {
    Event event = EventNamed(type + "-" + sequence + "-" + std::to_string(time_s));
    event.type = type;
    event.ordering_key = "room1";
    event.body = R"({"event_type":)" + type +
                 R"(,"app":"push.example","appname":"live","stream_id":"room1","sequence":")" +
                 sequence + R"(","event_time":)" + std::to_string(time_s) + "}";
    return event;
  }
  static Event Start(const std::string& sequence, int64_t time_s) {
    return PushEvent("1", sequence, time_s);
  }
  static Event Stop(const std::string& sequence, int64_t time_s) {
    return PushEvent("0", sequence, time_s);
  }
  std::string VerdictOf(size_t request) const {
    return http_.requests().at(request).Header("relay-stream");
  }
  // The endpoint takes the last request, so that its entry is settled.
  void AnswerLast() {
    http_.Answer(http_.requests().size() - 1, 200);
    loop_.RunReady();
  }
  // The last request's.
  std::string LastVerdict() const { return VerdictOf(http_.requests().size() - 1); }
  StreamState Stored() const {
    const auto found = streams_.find(StreamKey("acme", "push.example", "live", "room1"));
    const Result<StreamState> state =
        DecodeStreamState(found == streams_.end() ? "" : found->second);
    EXPECT_TRUE(state.ok());
    return state.ok() ? *state : StreamState();
  }
};

TEST_F(StreamBookTest, LateStopOfTheOldPushIsDeliveredAsStale) {
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  Deliver({{2, Start("B", 110)}});
  Deliver({{3, Stop("A", 120)}});
  Deliver({{4, Stop("B", 130)}});
  ASSERT_THAT(http_.requests(), SizeIs(4));
  EXPECT_EQ(VerdictOf(0), "current");
  EXPECT_EQ(VerdictOf(1), "current");
  EXPECT_EQ(VerdictOf(2), "stale");
  EXPECT_EQ(VerdictOf(3), "current");
}

TEST_F(StreamBookTest, OtherEventsCarryNoVerdict) {
  StartWorker();
  Event screenshot = Start("A", 100);
  screenshot.type = "200";
  Event of_another = Start("A", 100);
  of_another.id = "other";
  of_another.source = "gone";
  Deliver({{1, screenshot}, {2, of_another}});
  ASSERT_THAT(http_.requests(), SizeIs(2));
  EXPECT_EQ(VerdictOf(0), "");
  EXPECT_EQ(VerdictOf(1), "");
}

TEST_F(StreamBookTest, StopWithoutASequenceIsUnknown) {
  StartWorker();
  Event stop = Stop("A", 100);
  stop.body = R"({"event_type":0,"stream_id":"room1"})";
  Deliver({{1, Start("A", 90)}, {2, stop}});
  EXPECT_EQ(LastVerdict(), "unknown");
}

TEST_F(StreamBookTest, BodyThatIsNoObjectIsDeliveredAsUnknown) {
  StartWorker();
  Event stop = Stop("A", 100);
  stop.body = "not JSON";
  Deliver({{1, stop}});
  EXPECT_EQ(LastVerdict(), "unknown");
}

// A receiver that was down for an hour must not end the stream that has begun meanwhile.
TEST_F(StreamBookTest, RetriedStopIsJudgedByWhatIsSoNow) {
  StartWorker();
  Deliver({{1, Start("A", 100)}, {2, Stop("A", 120)}});
  EXPECT_EQ(LastVerdict(), "current");
  Deliver({{3, Start("B", 130)}});
  MakeDue(1, 2, Stop("A", 120), 1, ScoreOf(now_ms(), 1));
  loop_.Advance(Seconds(1));
  EXPECT_EQ(http_.requests().back().Header("relay-attempt"), "2");
  EXPECT_EQ(LastVerdict(), "stale");
}

TEST_F(StreamBookTest, StateIsWrittenBeforeTheEventIsSettled) {
  catalog_.tenants[0].endpoints[0].pattern = R"({"event_type":[7]})";  // Settled in the same turn.
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  ASSERT_THAT(settled_, SizeIs(1));
  std::vector<std::string> scripts;
  for (const FakeRedisCall& call : redis_.calls()) {
    if (call.verb == "streams" || call.verb == "done") scripts.push_back(call.verb);
  }
  EXPECT_THAT(scripts, ElementsAre("streams", "done"));
}

TEST_F(StreamBookTest, ChangesAreWrittenInOneCallWhenTheFirstOfThemIsSettled) {
  StartWorker();
  Deliver({{1, Start("A", 100)}, {2, Start("B", 110)}, {3, Stop("A", 120)}});
  EXPECT_EQ(redis_.CountOf("streams"), 0);
  AnswerLast();
  EXPECT_EQ(redis_.CountOf("streams"), 1);
  EXPECT_EQ(Stored().sequence, "B");
  EXPECT_THAT(Stored().closed, ElementsAre("A"));
}

TEST_F(StreamBookTest, ChangesThatWaitForTheirEndpointsAreWrittenMeanwhile) {
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  loop_.Advance(StreamBook::kGather);
  EXPECT_THAT(settled_, IsEmpty());
  EXPECT_TRUE(Stored().live);
}

TEST_F(StreamBookTest, NextOwnerGoesOnFromWhatWasWritten) {
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  AnswerLast();
  Deliver({{2, Start("B", 110)}});
  worker_.reset();  // As kill -9: nothing is flushed.
  reader_.TakeDown();
  reader_.BringUp("run-1");
  server_.leases.clear();
  // The start of B was in flight and is read again.
  pending_pages_ = {Entries({{2, Start("B", 110)}})};
  StartWorker();
  loop_.Advance(Seconds(1));
  EXPECT_EQ(LastVerdict(), "current");
  Deliver({{3, Stop("A", 120)}});
  EXPECT_EQ(LastVerdict(), "stale");
  Deliver({{4, Stop("B", 130)}});
  EXPECT_EQ(LastVerdict(), "current");
}

TEST_F(StreamBookTest, RepeatsAreNotTakenIn) {
  StartWorker();
  Deliver({{1, Start("A", 100)}, {2, Stop("A", 110)}});
  AnswerLast();
  const StreamState before = Stored();
  Deliver({{3, Start("A", 100)}});  // The same event id.
  EXPECT_EQ(Stored(), before);
}

TEST_F(StreamBookTest, WriteThatFailedIsWrittenAgain) {
  StartWorker();
  redis_.On("streams", RedisValue::Error("OOM no memory"));
  Deliver({{1, Start("A", 100)}});
  AnswerLast();
  EXPECT_EQ(redis_.CountOf("streams"), 1);
  EXPECT_THAT(streams_, IsEmpty());
  redis_.On("streams", [this](const FakeRedisCall& call) {
    streams_[call.args[4]] = call.args[6];
    return RedisValue::Array({});
  });
  loop_.Advance(StreamBook::kGather);
  EXPECT_EQ(Stored().sequence, "A");
}

TEST_F(StreamBookTest, WhatRedisHasForgottenIsForgotten) {
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  streams_gone_ = {StreamKey("acme", "push.example", "live", "room1")};
  Event other = Start("X", 100);
  other.id = "other";
  other.body.replace(other.body.find("room1"), 5, "room2");
  Deliver({{2, other}});
  AnswerLast();
  Deliver({{3, Stop("A", 120)}});
  EXPECT_EQ(LastVerdict(), "unknown");
}

TEST_F(StreamBookTest, BookThatCannotBeReadCostsVerdictsAlone) {
  redis_.On("HGETALL", [](const FakeRedisCall& call) {
    if (call.args[0] == PartitionKeys::For(0, 1).streams) return RedisValue::Error("WRONGTYPE");
    return RedisValue::Array({});
  });
  StartWorker();
  Deliver({{1, Start("A", 100)}});
  AnswerLast();
  EXPECT_EQ(LastVerdict(), "unknown");
  EXPECT_EQ(redis_.CountOf("streams"), 0);
}

TEST_F(StreamBookTest, RecordingsAndScreenshotsAreGathered) {
  StartWorker();
  Event recording = Start("", 100);
  recording.id = "recording";
  recording.type = "100";
  recording.body = R"({"event_type":100,"app":"push.example","appname":"live","stream_id":"room1",)"
                   R"("video_url":"http://vod.example/1.mp4","end_time":1700000000})";
  Event picture = recording;
  picture.id = "picture";
  picture.type = "200";
  picture.body = R"({"event_type":200,"app":"push.example","appname":"live","stream_id":"room1",)"
                 R"("pic_full_url":"http://cos.example/1.jpg","create_time":1700000001})";
  Deliver({{1, recording}, {2, picture}});
  EXPECT_EQ(redis_.CountOf("streams"), 0);
  loop_.Advance(StreamBook::kGather);
  EXPECT_EQ(redis_.CountOf("streams"), 1);
  const std::string key = StreamKey("acme", "push.example", "live", "room1");
  EXPECT_EQ(stream_media_["r" + key], "1700000000000 http://vod.example/1.mp4");
  EXPECT_EQ(stream_media_["c" + key], "1700000001000 http://cos.example/1.jpg");
}

TEST_F(StreamBookTest, SameNameAtAnotherDomainIsAnotherStream) {
  StartWorker();
  Event other = Stop("A", 120);
  other.body.replace(other.body.find("push.example"), 12, "push.another");
  Deliver({{1, Start("A", 100)}, {2, other}});
  EXPECT_EQ(LastVerdict(), "unknown");
  AnswerLast();
  EXPECT_TRUE(Stored().live);
}

}  // namespace
}  // namespace relay

#include "relay/event_facts.h"

#include <gtest/gtest.h>

#include <string>

namespace relay {
namespace {

class EventFactsTest : public testing::Test {
 protected:
  const EventFacts& Read(std::string_view provider, std::string_view type, std::string body) {
    body_ = std::move(body);
    EXPECT_TRUE(object_.Parse(body_).ok()) << body_;
    reader_.Read(provider, type, &object_, facts_);
    return facts_;
  }

  EventFactsReader reader_;
  JsonObject object_;
  std::string body_;
  EventFacts facts_;  // One for all: nothing of the event before may stay.
};

TEST_F(EventFactsTest, APushOfTencentLive) {
  const EventFacts& start = Read("tencent-live", "1",
                                 R"({"app":"d","appid":7,"appname":"live","stream_id":"s",
                                     "event_time":1703731478,"sequence":"2210464508206756938"})");
  EXPECT_EQ(start.type_name, "push_started");
  EXPECT_EQ(start.change, StreamChange::kStarted);
  EXPECT_EQ(start.account, "7");
  EXPECT_EQ(start.domain, "d");
  EXPECT_EQ(start.path, "live");
  EXPECT_EQ(start.stream, "s");
  EXPECT_EQ(start.activity, "2210464508206756938");
  EXPECT_EQ(start.event_time_ms, 1703731478000);
  EXPECT_EQ(Read("tencent-live", "0", "{}").change, StreamChange::kStopped);
  EXPECT_EQ(facts_.stream, "");
  EXPECT_EQ(facts_.event_time_ms, 0);
}

TEST_F(EventFactsTest, RecordingsAndScreenshotsHaveAnAddress) {
  EXPECT_EQ(Read("tencent-live", "100", R"({"video_url":"http://v/1.m3u8"})").media_url,
            "http://v/1.m3u8");
  EXPECT_EQ(facts_.change, StreamChange::kRecorded);
  EXPECT_EQ(Read("tencent-live", "200", R"({"pic_url":"/1.jpg","pic_full_url":"http://p/1.jpg"})")
                .media_url,
            "http://p/1.jpg");
  EXPECT_EQ(facts_.change, StreamChange::kCaptured);
  EXPECT_EQ(Read("tencent-live", "200", R"({"pic_url":"/1.jpg"})").media_url, "/1.jpg");
}

TEST_F(EventFactsTest, ARoomOfTencentRtc) {
  const EventFacts& left = Read("tencent-trtc", "104",
                                R"({"EventGroupId":1,"EventType":104,"CallbackTs":1664209748188,
                                    "EventInfo":{"RoomId":8489,"EventTs":1664209748,
                                    "EventMsTs":1664209748180,"UserId":"u"}})");
  EXPECT_EQ(left.type_name, "room_left");
  EXPECT_EQ(left.stream, "8489");
  EXPECT_EQ(left.event_time_ms, 1664209748180);
  EXPECT_EQ(left.change, StreamChange::kNone);
  EXPECT_EQ(Read("tencent-trtc", "901", R"({"CallbackTs":1664209748188})").event_time_ms,
            1664209748188);
  EXPECT_EQ(facts_.type_name, "");
}

TEST_F(EventFactsTest, APushOfVolcengineInEitherShape) {
  const std::string event =
      R"({"event_type":"push_start","domain":"d","app":"live","stream":"s","time_ms":1700207929123,
          "sequence_id":"77"})";
  for (const std::string& body : {event, R"({"code":0,"data":)" + event + "}"}) {
    const EventFacts& start = Read("volcengine-live", "push_start", body);
    EXPECT_EQ(start.type_name, "push_started");
    EXPECT_EQ(start.change, StreamChange::kStarted);
    EXPECT_EQ(start.domain, "d");
    EXPECT_EQ(start.stream, "s");
    EXPECT_EQ(start.activity, "77");
    EXPECT_EQ(start.event_time_ms, 1700207929123);
  }
}

TEST_F(EventFactsTest, OfAnotherKindOrNoObjectNothingIsKnown) {
  Read("tencent-live", "1", R"({"stream_id":"s"})");
  EXPECT_EQ(Read("hmac", "1", R"({"stream_id":"s"})").stream, "");
  EXPECT_EQ(Read("", "1", R"({"stream_id":"s"})").change, StreamChange::kNone);
  reader_.Read("tencent-live", "1", nullptr, facts_);
  EXPECT_EQ(facts_.change, StreamChange::kStarted);
  EXPECT_EQ(facts_.stream, "");
}

}  // namespace
}  // namespace relay

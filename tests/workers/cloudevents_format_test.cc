#include <gmock/gmock.h>

#include "tests/workers/format_fixture.h"
#include "workers/formats/cloudevents_type.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CloudEventsFormatTest : public FormatFixture {
 protected:
  CloudEventsFormatTest() { endpoint_.format = DeliveryFormat::kCloudEvents; }
  void UseStructured() { endpoint_.content_mode = ContentMode::kStructured; }
};

TEST_F(CloudEventsFormatTest, BinarySendsTheBodyAsItCameAndTheAttributesAsHeaders) {
  Receive("tencent-live", "1", kPushStarted);
  EXPECT_EQ(MakeBody(), kPushStarted);
  EXPECT_FALSE(made_.is_own);
  EXPECT_EQ(made_.content_type, "");
  EXPECT_EQ(made_.headers,
            "ce-specversion: 1.0\n"
            "ce-id: 0123456789abcdef0123456789abcdef\n"
            "ce-source: /relay/live\n"
            "ce-type: com.tencent.live.stream.started\n"
            "ce-subject: show_1\n"
            "ce-time: 2023-12-28T02:44:38.000Z\n"
            "ce-relaytenant: acme\n"
            "ce-relayactivity: 2210464508206756939\n");
}

TEST_F(CloudEventsFormatTest, StructuredHasTheBodyByteForByteUnderData) {
  UseStructured();
  Receive("tencent-live", "1", kPushStarted);
  EXPECT_EQ(MakeBody(), R"({"specversion":"1.0","id":"0123456789abcdef0123456789abcdef",)"
                        R"("source":"/relay/live","type":"com.tencent.live.stream.started",)"
                        R"("subject":"show_1","time":"2023-12-28T02:44:38.000Z",)"
                        R"("relaytenant":"acme","relayactivity":"2210464508206756939",)"
                        R"("datacontenttype":"application/json","data":)" +
                            std::string(kPushStarted) + "}");
  EXPECT_EQ(made_.content_type, "application/cloudevents+json");
  EXPECT_EQ(made_.headers, "");
}

TEST_F(CloudEventsFormatTest, HeadersArePercentEncodedAndJsonIsEscaped) {
  const std::string body = R"({"stream_id":"a b%\"\u4e2d~"})";
  Receive("tencent-live", "1", body);
  Make();
  EXPECT_EQ(Header("ce-subject"), "a%20b%25%22%E4%B8%AD~");
  UseStructured();
  EXPECT_THAT(MakeBody(), HasSubstr("\"subject\":\"a b%\\\"\xe4\xb8\xad~\""));
}

TEST_F(CloudEventsFormatTest, WhatNoAttributeMayHoldIsLeftOut) {
  for (const char* stream : {R"(a\nb)", R"(\u007f)", R"(\u0085)"}) {
    Receive("tencent-live", "1", R"({"stream_id":")" + std::string(stream) + R"(","seq":1})");
    Make();
    EXPECT_EQ(Header("ce-subject"), "absent") << stream;
    EXPECT_EQ(Header("ce-relayactivity"), "1");
  }
  // Of a header, so that it need not be UTF-8.
  Receive("hmac", "t", "{}");
  event_.ordering_key = "\xff";
  Make();
  EXPECT_EQ(Header("ce-subject"), "absent");
  event_.ordering_key = "room";
  Make();
  EXPECT_EQ(Header("ce-subject"), "room");
}

TEST_F(CloudEventsFormatTest, WithoutATimeOfItsOwnAnEventHasThatOfItsAcceptance) {
  for (const char* body : {R"({"stream_id":"s"})", R"({"event_time":253402300800000})"}) {
    Receive("tencent-live", "1", body);
    Make();
    EXPECT_EQ(Header("ce-time"), "2023-12-28T02:44:40.123Z");
  }
}

TEST_F(CloudEventsFormatTest, ABodyThatIsNoJsonObjectGoesInBase64) {
  UseStructured();
  Receive("hmac", "", std::string("\xff\0\x01", 3));
  EXPECT_THAT(MakeBody(), HasSubstr(R"("type":"relay.callback")"));
  EXPECT_THAT(made_.own_body,
              HasSubstr(R"("datacontenttype":"application/octet-stream","data_base64":"/wAB"})"));
  event_.headers = "content-type: text/plain; charset=utf-8\n";
  event_.body = "[1]";
  EXPECT_THAT(MakeBody(), HasSubstr(R"("datacontenttype":"text/plain; charset=utf-8",)"
                                    R"("data_base64":"WzFd"})"));
  event_.body = "";
  EXPECT_THAT(MakeBody(), HasSubstr(R"("data_base64":""})"));
}

TEST_F(CloudEventsFormatTest, TheTypeOfABinaryBodyIsThatOfTheCallback) {
  endpoint_.content_mode = ContentMode::kBinary;
  Receive("hmac", "", "plain");
  EXPECT_EQ(Make().content_type, "application/octet-stream");
  event_.headers = "content-type: text/plain\n";
  EXPECT_EQ(Make().content_type, "");
  // A CloudEvent of somebody else's within ours must not be taken for ours.
  event_.headers = "content-type: Application/CloudEvents+json\n";
  EXPECT_EQ(Make().content_type, "application/json");
}

TEST_F(CloudEventsFormatTest, RedactionAppliesToBothModes) {
  endpoint_.redact = {"txSecret"};
  Receive("tencent-live", "1", kPushStarted);
  EXPECT_THAT(MakeBody(), HasSubstr(R"("txSecret=***\u0026txTime=63F5")"));
  EXPECT_THAT(Header("ce-type"), StartsWith("com."));
  UseStructured();
  EXPECT_THAT(MakeBody(), HasSubstr(R"("txSecret=***\u0026txTime=63F5")"));
  event_.body = R"({"stream_id":"s"})";
  endpoint_.content_mode = ContentMode::kBinary;
  EXPECT_FALSE(Make().is_own);
}

// Receivers have these in their code.
TEST(CloudEventsTypeTest, NamesAreTheOnesThatWereGiven) {
  EXPECT_EQ(CloudEventsType("tencent-live", "0"), "com.tencent.live.stream.stopped");
  EXPECT_EQ(CloudEventsType("tencent-live", "100"), "com.tencent.live.recording.created");
  EXPECT_EQ(CloudEventsType("tencent-live", "200"), "com.tencent.live.screenshot.created");
  EXPECT_EQ(CloudEventsType("tencent-live", "99999"), "com.tencent.live.event.99999");
  for (const char* known : {"1", "314", "315", "317", "321", "329", "330", "332", "338", "341",
                            "343", "344", "347", "348", "349"}) {
    const std::string name = CloudEventsType("tencent-live", known);
    EXPECT_EQ(name.find("event"), std::string::npos) << name;
    EXPECT_THAT(name, StartsWith("com.tencent."));
  }
  EXPECT_EQ(CloudEventsType("tencent-trtc", "103"), "com.tencent.trtc.room.entered");
  EXPECT_EQ(CloudEventsType("tencent-trtc", "901"), "com.tencent.trtc.event.901");
  EXPECT_EQ(CloudEventsType("volcengine-live", "push_start"), "com.volcengine.live.stream.started");
  EXPECT_EQ(CloudEventsType("volcengine-live", "x"), "com.volcengine.live.event.x");
  EXPECT_EQ(CloudEventsType("standard-webhooks", "invoice.paid"), "invoice.paid");
  EXPECT_EQ(CloudEventsType("hmac", "push"), "push");
  EXPECT_EQ(CloudEventsType("hmac", ""), "relay.callback");
  EXPECT_EQ(CloudEventsType("", "1"), "relay.callback");
}

}  // namespace
}  // namespace relay

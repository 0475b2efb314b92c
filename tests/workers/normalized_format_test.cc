#include <gmock/gmock.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "tests/workers/format_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

rapidjson::Document ReadSchema() {
  std::ifstream file(RELAY_SOURCE_DIR "/docs/normalized.schema.json");
  std::ostringstream text;
  text << file.rdbuf();
  rapidjson::Document schema;
  schema.Parse(text.str().c_str());
  return schema;
}

class NormalizedFormatTest : public FormatFixture {
 protected:
  NormalizedFormatTest() : schema_text_(ReadSchema()), schema_(schema_text_) {
    endpoint_.format = DeliveryFormat::kNormalized;
  }

  // What is sent, which the published schema must allow and know.
  std::string MakeValid() {
    const std::string body = MakeBody();
    EXPECT_EQ(made_.content_type, "application/json");
    document_.Parse(body.c_str());
    EXPECT_FALSE(document_.HasParseError()) << body;
    EXPECT_EQ(WhyInvalid(document_), "") << body;
    for (const auto& member : std::as_const(document_).GetObject()) {
      EXPECT_TRUE(schema_text_["properties"].HasMember(member.name)) << member.name.GetString();
    }
    return body;
  }
  std::string WhyInvalid(const rapidjson::Value& value) {
    rapidjson::SchemaValidator validator(schema_);
    if (value.Accept(validator)) return "";
    rapidjson::StringBuffer where;
    validator.GetInvalidDocumentPointer().StringifyUriFragment(where);
    return std::string(where.GetString()) + " " + validator.GetInvalidSchemaKeyword();
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& member : std::as_const(document_).GetObject())
      names.push_back(member.name.GetString());
    return names;
  }

  rapidjson::Document schema_text_;
  rapidjson::SchemaDocument schema_;
  rapidjson::Document document_;
};

TEST_F(NormalizedFormatTest, APushOfTencentLive) {
  Receive("tencent-live", "1", kPushStarted);
  stream_verdict_ = "current";
  EXPECT_EQ(MakeValid(),
            R"({"id":"0123456789abcdef0123456789abcdef","source":"live","provider":"tencent-live",)"
            R"("tenant":"acme","type":"1","type_name":"push_started","stream":"show_1",)"
            R"("domain":"push.example","path":"live","account":"12345678",)"
            R"("activity":"2210464508206756939","event_time":"2023-12-28T02:44:38.000Z",)"
            R"("event_time_ms":1703731478000,"accepted_time":"2023-12-28T02:44:40.123Z",)"
            R"("accepted_time_ms":1703731480123,"stream_state":"current","data":)" +
                std::string(kPushStarted) + "}");
}

TEST_F(NormalizedFormatTest, ARegisteredRoomIsNamed) {
  Receive("tencent-live", "1", kPushStarted);
  room_ = RegisteredRoom{"293710", "14y2\"l2c", "main", 0};
  EXPECT_THAT(MakeValid(),
              HasSubstr(R"(,"room":{"room":"293710","user":"14y2\"l2c","type":"main"},"data":)"));
}

TEST_F(NormalizedFormatTest, EveryFamilyIsValid) {
  const std::pair<const char*, const char*> kFamilies[] = {
      {"0", R"({"app":"d","appid":7,"stream_id":"s","update_time":1703731606,"sequence":22104})"},
      {"100", R"({"app":"d","stream_id":"s","end_time":1545049971,"task_id":"k",
                  "callback_ext":"{\"video_codec\":\"h264\",\"n\":9007199254740993}"})"},
      {"200", R"({"app":"d","stream_id":"s","create_time":1622599925,"pic_url":"/1.jpg"})"},
      {"314", R"({"appId":7,"event_time":"1700207929","task_id":"k",
                  "source_urls":"[\"rtmp:\\/\\/a\"]\n","msg":"{\"code\":-22}","stream_id":"s"})"},
      {"315", R"({"appid":7,"domain":"d","path":"live","stream_id":"s","task_id":9007199254740993,
                  "text_results":null})"},
      {"317", R"({"streamId":"s","app":"d","sendTime":1575513176,"score":[0.5,1e3]})"},
      {"321", R"({"domain":"d","stream_id":"s","data_time":1661853230001,
                  "sequence":"18446744073709551615","abnormal_event":[{"count":1}]})"},
      {"329", R"({"appid":7,"channel_id":"63F5","input_id":"6583","pipelie":0,"stream_id":""})"},
      {"330", R"({"appid":7,"channel_id":"63F5","stream_id":""})"},
      {"332", R"({"appid":7,"domain":"d","event_time":1700207929,"stream_id":"s","seq":"32664",
                  "record_detail":"{\"file_format\":2}","session_id":"29180"})"},
      {"338", R"({"stream_id":"s","task_id":"k","data":{"subtitle_tmp_res":[]}})"},
      {"341", R"({"domain":"d","stream_id":"s","timestamp":1700207929,"exception":{"type":-8}})"},
      {"343", R"({"domain":"d","stream_id":"s","event_time":1700207929,"score":0.5})"},
      {"344", R"({"domain":"d","stream_id":"s","event_time":1700207929,"average_score":97.50})"},
      {"347", R"({"stream_id":"s","task_id":"k","data":{"keywords_info":[]}})"},
      {"348", R"({"domain":"d","stream_id":"s","end_time":1700207929,"title":"\u4e2d"})"},
      {"349", R"({"domain":"d","stream_id":"\u0073","end_time":1700207929,"items":[]})"},
      {"99999", R"({"domain":"d","stream_id":"s","anything":[{}]})"},
  };
  for (const auto& [type, body] : kFamilies) {
    SCOPED_TRACE(type);
    Receive("tencent-live", type, body);
    EXPECT_THAT(MakeValid(), testing::EndsWith(std::string(",\"data\":") + body + "}"));
    EXPECT_EQ(document_.HasMember("type_name"), std::string_view(type) != "99999");
  }
}

TEST_F(NormalizedFormatTest, OtherProvidersHaveTheSameShape) {
  Receive("tencent-trtc", "103",
          "{\n\t\"EventGroupId\":\t1,\"EventType\":103,\"CallbackTs\":1664209748188,"
          "\"EventInfo\":{\"RoomId\":8489,\"EventMsTs\":1664209748180,\"UserId\":\"u\"}}");
  EXPECT_THAT(MakeValid(), HasSubstr(R"("type_name":"room_entered","stream":"8489",)"
                                     R"("event_time":"2022-09-26T16:29:08.180Z")"));
  Receive(
      "volcengine-live", "push_start",
      R"({"event_type":"push_start","domain":"d","app":"live","stream":"s","time":1700207929})");
  EXPECT_THAT(MakeValid(), HasSubstr(R"("type":"push_start","type_name":"push_started")"));
  Receive("standard-webhooks", "invoice.paid", R"({"type":"invoice.paid","data":{"n":1}})");
  MakeValid();
  EXPECT_THAT(Names(), ElementsAre("id", "source", "provider", "tenant", "type", "accepted_time",
                                   "accepted_time_ms", "data"));
  Receive("hmac", "", "{}");
  event_.ordering_key = "key";
  MakeValid();
  EXPECT_THAT(Names(), ElementsAre("id", "source", "provider", "tenant", "stream", "accepted_time",
                                   "accepted_time_ms", "data"));
  source_is_gone_ = true;
  MakeValid();
  EXPECT_FALSE(document_.HasMember("provider"));
}

TEST_F(NormalizedFormatTest, JsonInsideStringsIsOpenedAndStaysUntouchedInData) {
  const std::string body =
      R"({"callback_ext":"{\"video_codec\":\"h264\",\"session\":9007199254740993}",)"
      R"("source_urls":" [\"rtmp:\\\/\\\/a\"]\n","n\u0061me":"[]","number":"5","text":"ok",)"
      R"("empty":"","broken":"{","two":"{} {}","more":"[1],\"x\":[2]","brace":"{}}",)"
      R"("lines":"[1]\n[2]"})";
  Receive("tencent-live", "100", body);
  const std::string made = MakeValid();
  EXPECT_THAT(made, HasSubstr(R"("opened":{"callback_ext":{"video_codec":"h264",)"
                              R"("session":9007199254740993},"source_urls":["rtmp:\/\/a"],)"
                              R"("n\u0061me":[]},"data":)" +
                              body + "}"));
}

TEST_F(NormalizedFormatTest, ABodyThatIsNoJsonObjectIsTextOrBase64) {
  for (const auto& [body, member] : std::vector<std::pair<std::string, std::string>>{
           {"a=1&b=\"2\"\n", R"("data_text":"a=1&b=\"2\"\u000a"})"},
           {"", R"("data_text":""})"},
           {"[1]", R"("data_text":"[1]"})"},
           {"{\"a\":1,\"a\":2}", R"("data_text":"{\"a\":1,\"a\":2}"})"},
           {std::string("\0", 1), R"("data_text":"\u0000"})"},
           {"\xff", R"("data_base64":"/w=="})"}}) {
    Receive("hmac", "t", body);
    EXPECT_THAT(MakeValid(), testing::EndsWith(member));
  }
}

TEST_F(NormalizedFormatTest, WhatIsRedactedIsSoInDataAndOpened) {
  endpoint_.redact = {"txSecret"};
  Receive("tencent-live", "314",
          R"({"msg":"{\"url\":\"rtmp://x?txSecret=5a3b\"}","stream_param":"txSecret=5a3b"})");
  const std::string made = MakeValid();
  EXPECT_THAT(made, Not(HasSubstr("5a3b")));
  EXPECT_THAT(made, HasSubstr(R"("opened":{"msg":{"url":"rtmp://x?txSecret=***"}})"));
}

TEST_F(NormalizedFormatTest, WhereItIsPlayedIsToldWhenTheSourceKnows) {
  source_.play.domain = "play.example.com";
  source_.play.key = "K";
  Receive("tencent-live", "1", kPushStarted);
  EXPECT_THAT(MakeValid(), HasSubstr(R"("play":{"rtmp":"rtmp://play.example.com/live/show_1?)"));
  Receive("tencent-live", "1", "{}");
  MakeValid();
  EXPECT_FALSE(document_.HasMember("play"));
}

TEST_F(NormalizedFormatTest, ATimeWithoutATextIsNotTold) {
  Receive("tencent-live", "1", R"({"event_time":253402300800000})");
  MakeValid();
  EXPECT_FALSE(document_.HasMember("event_time"));
  EXPECT_FALSE(document_.HasMember("event_time_ms"));
}

// Or the tests above would pass with any schema.
TEST_F(NormalizedFormatTest, TheSchemaRefusesOtherShapes) {
  Receive("tencent-live", "1", kPushStarted);
  MakeValid();
  const auto why_after = [this](auto change) {
    rapidjson::Document other;
    other.CopyFrom(document_, other.GetAllocator());
    change(other);
    return WhyInvalid(other);
  };
  EXPECT_EQ(why_after([](auto& d) { d.RemoveMember("tenant"); }), "# required");
  EXPECT_EQ(why_after([](auto& d) { d.RemoveMember("data"); }), "# oneOf");
  EXPECT_EQ(why_after([](auto& d) { d.AddMember("data_text", "x", d.GetAllocator()); }), "# oneOf");
  EXPECT_EQ(why_after([](auto& d) { d["id"] = "x"; }), "#/id pattern");
  EXPECT_EQ(why_after([](auto& d) { d["account"] = 7; }), "#/account type");
  EXPECT_EQ(why_after([](auto& d) { d["event_time"] = "2023-12-28"; }), "#/event_time pattern");
  EXPECT_EQ(why_after([](auto& d) { d["event_time_ms"] = 1.5; }), "#/event_time_ms type");
  EXPECT_EQ(why_after([](auto& d) { d["provider"] = "other"; }), "#/provider enum");
  EXPECT_EQ(why_after([](auto& d) { d.AddMember("stream_state", "live", d.GetAllocator()); }),
            "#/stream_state enum");
}

}  // namespace
}  // namespace relay

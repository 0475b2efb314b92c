#include "relay/tencent_event.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace relay {
namespace {

struct Told {
  std::string stream;
  std::string domain;
  std::string account;
  std::string path;
  std::string activity;
  int64_t event_time_ms = 0;
};

// One event of each family, with the names and JSON types of its page.
struct Family {
  const char* type;
  const char* name;
  const char* members;
  Told told;
};

const std::vector<Family>& Families() {
  static const std::vector<Family> kFamilies = {
      {"1",
       "push_started",
       R"("app":"d","appid":7,"appname":"live","stream_id":"s","channel_id":"c",
          "event_time":1703731478,"sequence":"2210464508206756938")",
       {"s", "d", "7", "live", "2210464508206756938", 1703731478000}},
      // As DTOs of 2016 had it.
      {"0",
       "push_interrupted",
       R"("app":"d","appid":7,"appname":"live","stream_id":"s","update_time":1703731606,
          "push_duration":"128581","sequence":2210464508206756938)",
       {"s", "d", "7", "live", "2210464508206756938", 1703731606000}},
      {"100",
       "recording_file",
       R"("appid":7,"app":"d","appname":"live","stream_id":"s","file_id":"1","task_id":"k",
          "start_time":1545047010,"end_time":1545049971,"file_size":"277941079")",
       {"s", "d", "7", "live", "k", 1545049971000}},
      {"200",
       "screenshot",
       R"("app":"d","appname":"live","channel_id":"s","create_time":1622599925,"stream_id":"s",
          "task_id":"1867908378267662126")",
       {"s", "d", "", "live", "1867908378267662126", 1622599925000}},
      {"314",
       "relay_task",
       R"("appId":7,"callback_event":"TaskStart","event_time":"1700207929","task_id":"k",
          "source_urls":"[\"rtmp:\\/\\/a\"]\n","stream_id":"s")",
       {"s", "", "7", "", "k", 1700207929000}},
      {"315",
       "audio_moderation",
       R"("appid":7,"domain":"d","path":"live","stream_id":"s","channel_id":"s","seq":5,
          "task_id":9007199254740993,"text_results":null)",
       {"s", "d", "7", "live", "9007199254740993", 0}},
      {"317",
       "image_moderation",
       R"("streamId":"s","channelId":"c","app":"d","appid":7,"appname":"live",
          "screenshotTime":1575513174,"sendTime":1575513176,"tid":20001)",
       {"s", "d", "7", "live", "", 1575513176000}},
      {"321",
       "push_exception",
       R"("appid":7,"domain":"d","path":"live","stream_id":"s","data_time":1661853230001,
          "sequence":"18446744073709551615","timeout":5000)",
       {"s", "d", "7", "live", "18446744073709551615", 1661853230001}},
      {"329",
       "streamlive_push_started",
       R"("appid":7,"channel_id":"63F5","input_id":"6583","pipelie":0,"stream_id":"")",
       {"63F5", "", "7", "", "", 0}},
      {"330",
       "streamlive_push_interrupted",
       R"("appid":7,"channel_id":"63F5","stream_id":"")",
       {"63F5", "", "7", "", "", 0}},
      {"332",
       "recording_status",
       R"("appid":7,"appname":"live","domain":"d","event_time":1700207929,"stream_id":"s",
          "record_event":"record_ended","seq":"3266441426274648065","session_id":"29180")",
       {"s", "d", "7", "live", "29180", 1700207929000}},
      {"338",
       "subtitles",
       R"("stream_id":"s","channel_id":"s","task_id":"k","data":{})",
       {"s", "", "", "", "k", 0}},
      {"341",
       "recording_exception",
       R"("appid":7,"domain":"d","path":"live","stream_id":"s","session_id":"29180",
          "timestamp":1700207929,"exception":{"type":-8})",
       {"s", "d", "7", "live", "29180", 1700207929000}},
      {"343",
       "quality_control",
       R"("appid":7,"appname":"live","domain":"d","stream_id":"s","event_time":1700207929,
          "score":0.5)",
       {"s", "d", "7", "live", "", 1700207929000}},
      {"344",
       "quality_evaluation",
       R"("appid":7,"appname":"live","domain":"d","stream_id":"s","event_time":1700207929,
          "average_score":97.5)",
       {"s", "d", "7", "live", "", 1700207929000}},
      {"347",
       "smart_erase",
       R"("stream_id":"s","task_id":"k","data":{"keywords_info":[]})",
       {"s", "", "", "", "k", 0}},
      {"348",
       "summary",
       R"("appid":7,"domain":"d","path":"live","stream_id":"s","begin_time":1700207000,
          "end_time":1700207929,"title":"\u4e2d")",
       {"s", "d", "7", "live", "", 1700207929000}},
      {"349",
       "highlight",
       R"("appid":7,"domain":"d","path":"live","stream_id":"\u0073","end_time":1700207929,
          "items":[])",
       {"s", "d", "7", "live", "", 1700207929000}},
      {"99999", "", R"("domain":"d","stream_id":"s","anything":[{}])", {"s", "d", "", "", "", 0}},
  };
  return kFamilies;
}

TEST(TencentEventTest, ReadsEveryFamilyByItsOwnNames) {
  JsonObject event;
  std::string buffer;
  for (const Family& family : Families()) {
    SCOPED_TRACE(family.type);
    const std::string body =
        "{\"event_type\":" + std::string(family.type) + "," + family.members + "}";
    ASSERT_TRUE(event.Parse(body).ok()) << body;
    const auto text = [&](TencentField field) { return TencentText(field, event, buffer); };
    EXPECT_EQ(TencentTypeName(family.type), family.name);
    EXPECT_EQ(text(TencentField::kStream), family.told.stream);
    EXPECT_EQ(text(TencentField::kDomain), family.told.domain);
    EXPECT_EQ(text(TencentField::kAccount), family.told.account);
    EXPECT_EQ(text(TencentField::kPath), family.told.path);
    EXPECT_EQ(text(TencentField::kActivity), family.told.activity);
    EXPECT_EQ(TencentEventTimeMs(event, buffer), family.told.event_time_ms);
  }
}

TEST(TencentEventTest, ATimeThatIsNoneIsNotTold) {
  JsonObject event;
  std::string buffer;
  for (const char* time : {"-1", "1.5", "1e9", "\"soon\"", "null", "[1]", "1234567890123456"}) {
    const std::string body = "{\"event_time\":" + std::string(time) + "}";
    ASSERT_TRUE(event.Parse(body).ok());
    EXPECT_EQ(TencentEventTimeMs(event, buffer), 0) << time;
  }
}

}  // namespace
}  // namespace relay

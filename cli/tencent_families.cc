#include "cli/tencent_families.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>

namespace relay {
namespace {

constexpr std::string_view kAppId = kTencentAppId;
constexpr std::array<int, 18> kTypes = {0,   1,   100, 200, 314, 315, 317, 321, 329,
                                        330, 332, 338, 341, 343, 344, 347, 348, 349};

// Closes the text that relay_seq goes to.
constexpr std::string_view kQuote = "\"";

template <typename Format, typename... Parts>
void Append(std::string& body, const Format& format, const Parts&... parts) {
  fmt::format_to(std::back_inserter(body), format, parts...);
}

std::string_view OpenStreamParam(const TencentPlace& at, std::string& body) {
  Append(body, FMT_COMPILE(R"(,"stream_param":"txSecret={:016x}&txTime={:08X}&)"), at.sequence,
         static_cast<uint64_t>(at.event_time));
  return kQuote;
}

// For families in which nothing is free text.
std::string_view OpenOwnMember(std::string& body) {
  body += R"(,"relay_seq":")";
  return kQuote;
}

std::string_view AppendPush(const TencentPlace& at, std::string& body) {
  const bool start = at.type == 1;
  Append(body,
         FMT_COMPILE(R"({{"app":"{}","appid":{},"appname":"live","channel_id":"{}","errcode":{},)"
                     R"("errmsg":"{}","event_time":{},"event_type":{},"height":{},"idc_id":34,)"
                     R"("node":"198.51.100.{}",)"),
         at.domain, kAppId, at.stream,
         start     ? 0
         : at.late ? 8
                   : 1,
         start     ? "ok"
         : at.late ? "No data was received for a long time"
                   : "The push client actively stopped the push",
         at.event_time, at.type, start ? 0 : 720, at.number % 250 + 1);
  if (!start) Append(body, FMT_COMPILE(R"("push_duration":"{}",)"), 60'000 + at.number % 10'000);
  Append(body,
         FMT_COMPILE(
             R"("sequence":"{}","set_id":2,"stream_id":"{}","user_ip":"203.0.113.{}","width":{})"),
         at.sequence, at.stream, at.number % 200 + 1, start ? 0 : 1280);
  return OpenStreamParam(at, body);
}

std::string_view AppendRecording(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(R"({{"event_type":100,"appid":{0},"app":"{1}",)"
                  R"("callback_ext":"{{\"video_codec\":\"h264\",\"resolution\":\"1280x720\"}}",)"
                  R"("appname":"live","stream_id":"{2}","channel_id":"{2}","file_id":"{3}",)"
                  R"("record_file_id":"{3}","file_format":"hls","start_time":{4},"end_time":{5},)"
                  R"("start_time_usec":0,"end_time_usec":0,"duration":60,"file_size":{6},)"
                  R"("video_url":"http://{0}.vod2.myqcloud.com/{7}/{3}.m3u8",)"
                  R"("media_start_time":0,"record_bps":0)"),
      kAppId, at.domain, at.stream, at.sequence, at.event_time - 60, at.event_time,
      4'000'000 + at.number % 1'000'000, at.seq);
  return OpenStreamParam(at, body);
}

std::string_view AppendScreenshot(const TencentPlace& at, std::string& body) {
  Append(body,
         FMT_COMPILE(R"({{"app":"{0}","appname":"live","channel_id":"{1}","create_time":{2},)"
                     R"("event_type":200,"file_size":30670,"height":720,)"
                     R"("pic_full_url":"http://shots.cos.example/{1}/{3}-1280x720.jpg",)"
                     R"("pic_url":"/{1}/{3}-1280x720.jpg","stream_id":"{1}","task_id":"{4}",)"
                     R"("width":1280)"),
         at.domain, at.stream, at.event_time, at.seq, at.sequence);
  return OpenStreamParam(at, body);
}

// A task that pulls a stream and pushes it on: its start, the start and the end of a file, its end.
std::string_view AppendRelayTask(const TencentPlace& at, std::string& body) {
  constexpr std::array<const char*, 4> kEvents = {"TaskStart", "VodSourceFileStart",
                                                  "VodSourceFileFinish", "TaskExit"};
  const auto step = static_cast<size_t>(at.round % 4);
  Append(
      body,
      FMT_COMPILE(
          R"({{"appid":{},"callback_event":"{}","callback_url":"https://callbacks.example/live",)"
          R"("event_time":"{}","event_type":314,"interface":"general_callback","msg":")"),
      kAppId, kEvents[step], at.event_time);
  if (step == 0) Append(body, FMT_COMPILE(R"({{\"task_start_time\":{}}}",)"), at.event_time * 1000);
  if (step == 1 || step == 2) {
    Append(
        body,
        FMT_COMPILE(R"({{\"url\":\"http://files.example/{}.mp4\",\"index\":0,\"duration\":60}}",)"),
        at.stream);
  }
  if (step == 3) {
    Append(body,
           FMT_COMPILE(R"({{\"task_exit_time\":{},\"code\":-22,\"message\":\"source ended\"}}",)"),
           at.event_time * 1000);
  }
  Append(body,
         FMT_COMPILE(
             R"("product_name":"pullpush","source_urls":"[\"http://files.example/{0}.mp4\"]\n",)"
             R"("stream_id":"{0}","task_id":"{1}","to_url":"rtmp://{2}/live/{0}?)"),
         at.stream, at.sequence, at.domain);
  return kQuote;
}

std::string_view AppendAudioModeration(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(
          R"({{"HitFlag":1,"Score":90,"SubTag":"","appid":{0},"asr_text":"words heard","bizid":0,)"
          R"("channel_id":"{1}","data":{{"asr_tmp_full_results":[{{"text":"words heard"}}]}},)"
          R"("domain":"{2}","duration":15,"event_type":315,"interface":"general_callback",)"
          R"("label":"Ad","language_results":null,"moan_results":null,"path":"live",)"
          R"("recognition_results":null,"request_id":"{3}-{4}","seq":{4},"speaker_results":null,)"
          R"("status":2,"stream_id":"{1}","sub_label":"","suggestion":"Review","task_id":{5},)"
          R"("text_results":[{{"label":"Ad","score":90,"suggestion":"Review"}}],)"
          R"("cdn_url":"http://audio.example/{1}/{4}.mp3?)"),
      kAppId, at.stream, at.domain, at.sequence, at.number, at.sequence % 1'000'000'000);
  return kQuote;
}

std::string_view AppendImageModeration(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(
          R"({{"abductionRisk":[],"abuseScore":0,"adScore":0,"app":"{0}","appid":{1},"appname":"live",)"
          R"("channelId":"{2}","confidence":0,"customScore":0,"event_type":317,"hotScore":97,)"
          R"("illegalScore":0,"img":"http://shots.cos.example/{2}/{3}.jpg","label":"Porn",)"
          R"("labelResults":[{{"Details":[],"HitFlag":1,"Label":"Porn","Scene":"Porn","Score":97,)"
          R"("SubLabel":"","Suggestion":"Review"}}],"level":0,"libResults":null,"normalScore":2,)"
          R"("objectResults":null,"ocrMsg":"","ocrResults":null,"polityScore":0,"pornScore":0,)"
          R"("score":[97],"screenshotTime":{4},"sendTime":{5},"similarScore":0,"streamId":"{2}",)"
          R"("subLabel":"","suggestion":"Review","teenagerScore":0,"terrorScore":0,"tid":20001,)"
          R"("type":[2])"),
      at.domain, kAppId, at.stream, at.seq, at.event_time - 2, at.event_time);
  return OpenStreamParam(at, body);
}

std::string_view AppendPushException(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(
          R"({{"abnormal_event":[{{"count":2,"customer_visible":"true","detail":[)"
          R"({{"desc":"low frame rate","occur_time":{0}}},{{"desc":"low frame rate","occur_time":{1}}}],)"
          R"("event_key":"low_fps","type":3,"type_desc_cn":"帧率过低","type_desc_en":"low frame rate"}}],)"
          R"("appid":{2},"data_time":{1},"domain":"{3}","event_type":321,)"
          R"("interface":"general_callback","path":"live","report_interval":5000,"sequence":"{4}",)"
          R"("stream_id":"{5}","timeout":5000,"user_ip":"203.0.113.{6}")"),
      at.event_time * 1000 - 2500, at.event_time * 1000, kAppId, at.domain, at.sequence, at.stream,
      at.number % 200 + 1);
  return OpenStreamParam(at, body);
}

// StreamLive says which channel it is about; `pipelie` is how the provider spells it.
std::string_view AppendStreamLive(const TencentPlace& at, std::string& body) {
  Append(body,
         FMT_COMPILE(R"({{"appid":{},"channel_id":"{}","event_type":{},"input_id":"{:x}",)"
                     R"("interface":"general_callback","pipelie":{},"stream_id":"")"),
         kAppId, at.stream, at.type, at.sequence, at.number % 2);
  return OpenOwnMember(body);
}

std::string_view AppendRecordingStatus(const TencentPlace& at, std::string& body) {
  constexpr std::array<const char*, 4> kEvents = {"record_start_succeeded", "record_paused",
                                                  "record_resumed", "record_ended"};
  Append(body,
         FMT_COMPILE(
             R"({{"appid":{},"appname":"live","domain":"{}","event_time":{},"event_type":332,)"
             R"("record_detail":"{{\"file_format\":2,\"record_bps\":0,\"start_model\":1,)"
             R"(\"record_content\":1,\"source_type\":2,\"codec_temp_id\":0}}","record_event":"{}",)"
             R"("seq":"{}","session_id":"{}","stream_id":"{}","task_id":"{}")"),
         kAppId, at.domain, at.event_time, kEvents[static_cast<size_t>(at.round % 4)],
         at.sequence + static_cast<uint64_t>(at.number), at.sequence, at.stream, at.sequence);
  return OpenOwnMember(body);
}

std::string_view AppendSubtitles(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(R"({{"channel_id":"{0}","event_type":338,"stream_id":"{0}","task_id":"{1}",)"
                  R"("data":{{"subtitle_tmp_res":[{{"dst_txt":"good evening","end_pts":{2},)"
                  R"("end_unix_time":{3},"start_pts":{4},"start_unix_time":{5},"stead_state":true,)"
                  R"("src_txt":"晚上好 )"),
      at.stream, at.sequence, at.number * 2000 + 1500, at.event_time, at.number * 2000,
      at.event_time - 2);
  return R"("}]})";
}

std::string_view AppendRecordingException(const TencentPlace& at, std::string& body) {
  Append(body,
         FMT_COMPILE(
             R"({{"appid":{},"domain":"{}","event_type":341,"exception_level":"warning",)"
             R"("file_format":"ts","interface":"general_callback","path":"live","session_id":"{}",)"
             R"("stream_id":"{}","timestamp":{},"exception":{{"occurs":1,"type":-8,)"
             R"("desc":"timestamps jump )"),
         kAppId, at.domain, at.sequence, at.stream, at.event_time);
  return R"("})";
}

std::string_view AppendQualityControl(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(R"({{"appid":{},"appname":"live","class":"Blur","domain":"{}","event_time":{},)"
                  R"("event_type":343,"function":"QualityControl","score":{:.1f},"stream_id":"{}",)"
                  R"("transcode_template_id":0,"watermark_template_id":0)"),
      kAppId, at.domain, at.event_time, 50 + static_cast<double>(at.number % 400) / 10, at.stream);
  return OpenOwnMember(body);
}

// Every second one is of the kind that tells averages.
std::string_view AppendQualityEvaluation(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(
          R"({{"appid":{},"appname":"live","class":"VMAF","domain":"{}","event_time":{},)"
          R"("event_type":344,"frames":[{{"score":91.5,"time":{}}},{{"score":88.25,"time":{}}}],)"
          R"("function":"QualityEvaluation","stream_id":"{}","transcode_template_id":0)"),
      kAppId, at.domain, at.event_time, at.event_time * 1000 - 40, at.event_time * 1000, at.stream);
  if (at.round % 2 == 1) {
    body += R"(,"average_score":89.875,"max_score":91.5,"min_score":88.25)";
  }
  return OpenOwnMember(body);
}

// The provider names the list, and not what is in it.
std::string_view AppendSmartErase(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(
          R"({{"channel_id":"{0}","event_type":347,"stream_id":"{0}","task_id":"{1}",)"
          R"("data":{{"keywords_info":[{{"end_unix_time":{2},"start_unix_time":{3},"keyword":"erased )"),
      at.stream, at.sequence, at.event_time, at.event_time - 2);
  return R"("}]})";
}

std::string_view AppendSummary(const TencentPlace& at, std::string& body) {
  Append(body,
         FMT_COMPILE(
             R"({{"appid":{0},"begin_time":{1},"domain":"{2}","end_time":{3},"event_type":348,)"
             R"("key_points":["开场","产品介绍"],"key_words":["直播","发布"],"path":"live",)"
             R"("stream_id":"{4}","title":"新品发布","summary":"主持人介绍了新品和日程 )"),
         kAppId, at.event_time - 300, at.domain, at.event_time, at.stream);
  return kQuote;
}

std::string_view AppendHighlight(const TencentPlace& at, std::string& body) {
  Append(body,
         FMT_COMPILE(
             R"({{"appid":{0},"domain":"{1}","event_time":{2},"event_type":349,"path":"live",)"
             R"("stream_id":"{3}","items":[{{"begin_time":{4},"end_time":{2},"key_words":["进球"],)"
             R"("title":"精彩时刻","cov_img_store_url":"http://clips.example/{3}/{5}.jpg",)"
             R"("video_store_url":"http://clips.example/{3}/{5}.mp4","summary":"比赛的进球 )"),
         kAppId, at.domain, at.event_time, at.stream, at.event_time - 20, at.seq);
  return R"("}])";
}

std::string_view AppendUnnamed(const TencentPlace& at, std::string& body) {
  Append(
      body,
      FMT_COMPILE(R"({{"appid":{},"appname":"live","domain":"{}","event_time":{},)"
                  R"("event_type":{},"interface":"general_callback","seq":"{}","stream_id":"{}")"),
      kAppId, at.domain, at.event_time, at.type, at.sequence, at.stream);
  return OpenStreamParam(at, body);
}

}  // namespace

std::span<const int> TencentTypes() {
  return kTypes;
}

TencentMembers MembersOf(int type) {
  switch (type) {
    case 0:
    case 1:
    case 100:
      return {"app", "appname", "stream_id", "channel_id", true};
    case 200:
      return {"app", "appname", "stream_id", "channel_id", true, false};
    case 314:
      return {"", "", "stream_id", "", false};
    case 315:
      return {"domain", "path", "stream_id", "channel_id", false};
    case 317:
      return {"app", "appname", "streamId", "channelId", true};
    case 321:
      return {"domain", "path", "stream_id", "", true};
    case 329:
    case 330:
      return {"", "", "", "channel_id", false};
    case 338:
    case 347:
      return {"", "", "stream_id", "channel_id", false, false};
    case 341:
    case 348:
    case 349:
      return {"domain", "path", "stream_id", "", false};
    case 332:
    case 343:
    case 344:
      return {"domain", "appname", "stream_id", "", false};
    default:
      return {"domain", "appname", "stream_id", "", true};
  }
}

std::string_view AppendTencentFamily(const TencentPlace& at, std::string& body) {
  switch (at.type) {
    case 0:
    case 1:
      return AppendPush(at, body);
    case 100:
      return AppendRecording(at, body);
    case 200:
      return AppendScreenshot(at, body);
    case 314:
      return AppendRelayTask(at, body);
    case 315:
      return AppendAudioModeration(at, body);
    case 317:
      return AppendImageModeration(at, body);
    case 321:
      return AppendPushException(at, body);
    case 329:
    case 330:
      return AppendStreamLive(at, body);
    case 332:
      return AppendRecordingStatus(at, body);
    case 338:
      return AppendSubtitles(at, body);
    case 341:
      return AppendRecordingException(at, body);
    case 343:
      return AppendQualityControl(at, body);
    case 344:
      return AppendQualityEvaluation(at, body);
    case 347:
      return AppendSmartErase(at, body);
    case 348:
      return AppendSummary(at, body);
    case 349:
      return AppendHighlight(at, body);
    default:
      return AppendUnnamed(at, body);
  }
}

}  // namespace relay

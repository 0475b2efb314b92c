#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/callback_reader.h"
#include "cli/hmac_callback.h"
#include "cli/trtc_callback.h"
#include "cli/volcengine_callback.h"
#include "cli/webhook_callback.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"
#include "relay/webhook_signature.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr WallTime kNow(Seconds(1'700'000'000));
constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

SenderTraffic Traffic(const std::string& key, std::vector<std::string> types) {
  SenderTraffic traffic;
  traffic.key = key;
  traffic.run = "r1";
  traffic.streams = 3;
  traffic.types = std::move(types);
  return traffic;
}

HmacTraffic GithubTraffic() {
  HmacTraffic traffic;
  traffic.sender = Traffic("secret", {"push", "release"});
  traffic.scheme.header = "X-Hub-Signature-256";
  traffic.scheme.prefix = "sha256=";
  traffic.type_header = "X-GitHub-Event";
  traffic.id_header = "X-GitHub-Delivery";
  return traffic;
}

HmacTraffic StripeTraffic() {
  HmacTraffic traffic;
  traffic.sender = Traffic("secret", {"invoice.paid"});
  traffic.scheme.header = "Stripe-Signature";
  traffic.scheme.separator = ",";
  traffic.scheme.prefix = "v1=";
  traffic.scheme.timestamp_header = "Stripe-Signature";
  traffic.scheme.timestamp_prefix = "t=";
  traffic.scheme.signed_text = "{timestamp}.{body}";
  return traffic;
}

std::unique_ptr<CallbackMaker> MakerOf(const std::string& kind, int64_t body_bytes = 0) {
  if (kind == "tencent-trtc") {
    SenderTraffic traffic = Traffic("trtckey", {"103", "203", "401", "701", "104"});
    traffic.body_bytes = body_bytes;
    return std::make_unique<TrtcCallbackMaker>(traffic, "1400000001");
  }
  if (kind == "volcengine-live") {
    SenderTraffic traffic = Traffic("volckey", {"push_start", "push_end"});
    traffic.body_bytes = body_bytes;
    return std::make_unique<VolcengineCallbackMaker>(traffic, 2, "push-{}.livepush.example");
  }
  if (kind == "standard-webhooks") {
    SenderTraffic traffic = Traffic(kSecret, {"stream.started"});
    traffic.body_bytes = body_bytes;
    return std::move(WebhookCallbackMaker::Create(traffic)).value();
  }
  HmacTraffic traffic = kind == "github" ? GithubTraffic() : StripeTraffic();
  traffic.sender.body_bytes = body_bytes;
  return std::move(HmacCallbackMaker::Create(traffic)).value();
}

ProviderCallback Made(const std::string& kind, int64_t number,
                      CallbackKind genuineness = CallbackKind::kGenuine) {
  ProviderCallback callback;
  MakerOf(kind)->Make(number, genuineness, kNow, &callback);
  return callback;
}

// The value of a header, or "absent".
std::string Header(const ProviderCallback& callback, const std::string& name) {
  const size_t at = ("\r\n" + callback.headers).find("\r\n" + name + ": ");
  if (at == std::string::npos) return "absent";
  const size_t begin = at + name.size() + 2;
  return callback.headers.substr(begin, callback.headers.find("\r\n", begin) - begin);
}

std::string HmacHex(const std::string& key, const std::string& text) {
  Hmac hmac(HmacAlgorithm::kSha256, key);
  hmac.Update(text);
  std::string out;
  for (const uint8_t byte : hmac.Finish()) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    out += digits;
  }
  return out;
}

const std::vector<std::string> kKinds = {"tencent-trtc", "volcengine-live", "standard-webhooks",
                                         "github", "stripe"};

TEST(ProviderCallbacksTest, EveryKindCarriesItsSeqAndRepeatsNoBody) {
  CallbackReader reader;
  for (const std::string& kind : kKinds) {
    const std::unique_ptr<CallbackMaker> maker = MakerOf(kind);
    ProviderCallback callback;
    std::set<std::string> bodies;
    for (int64_t n = 0; n < 30; ++n) {
      maker->Make(n, CallbackKind::kGenuine, kNow, &callback);
      SCOPED_TRACE(kind + ": " + callback.body);
      JsonObject object;
      EXPECT_TRUE(object.Parse(callback.body).ok());
      EXPECT_EQ(reader.Read(callback.body).seq, "r1." + std::to_string(n));
      EXPECT_EQ(callback.seq, "r1." + std::to_string(n));
      EXPECT_TRUE(bodies.insert(callback.body).second);
    }
  }
}

TEST(ProviderCallbacksTest, EveryKindIsPaddedToTheByte) {
  for (const std::string& kind : kKinds) {
    ProviderCallback callback;
    MakerOf(kind, 2000)->Make(4, CallbackKind::kGenuine, kNow, &callback);
    EXPECT_EQ(callback.body.size(), 2000u) << kind;
    JsonObject object;
    EXPECT_TRUE(object.Parse(callback.body).ok()) << kind;
    EXPECT_EQ(CallbackReader().Read(callback.body).seq, "r1.4") << kind;
  }
}

TEST(ProviderCallbacksTest, EveryKindKnowsWhenToSendAgainAndHowLongToWait) {
  ProviderCallback callback;
  EXPECT_EQ(MakerOf("tencent-trtc")->RetryPauses(callback).size(), 7u);
  EXPECT_EQ(MakerOf("tencent-trtc")->RetryPauses(callback)[0], Seconds(0));
  EXPECT_EQ(MakerOf("tencent-trtc")->AnswerWithin(), Seconds(5));
  EXPECT_EQ(MakerOf("volcengine-live")->RetryPauses(callback)[2], Seconds(3));
  Seconds all{0};
  for (const Seconds pause : MakerOf("volcengine-live")->RetryPauses(callback)) all += pause;
  EXPECT_LE(all, Seconds(600));
  EXPECT_EQ(MakerOf("volcengine-live")->AnswerWithin(), Seconds(4));
  EXPECT_EQ(MakerOf("github")->RetryPauses(callback).size(), 3u);
  EXPECT_EQ(MakerOf("standard-webhooks")->RetryPauses(callback)[0], Seconds(5));
}

// The vector of the provider's pages.
TEST(TrtcCallbackTest, HeaderSignIsThatOfTheProvidersPages) {
  HmacSettings scheme;
  scheme.header = "Sign";
  scheme.encoding = SignatureEncoding::kBase64;
  std::string headers;
  std::move(HmacHeaders::Create(scheme, "123654"))
      .value()
      .Append(
          "{\n\t\"EventGroupId\":\t2,\n\t\"EventType\":\t204,\n\t\"CallbackTs\":\t1664209748188,\n"
          "\t\"EventInfo\":\t{\n\t\t\"RoomId\":\t8489,\n\t\t\"EventTs\":\t1664209748,\n"
          "\t\t\"EventMsTs\":\t1664209748180,\n\t\t\"UserId\":\t\"user_85034614\",\n"
          "\t\t\"Reason\":\t0\n\t}\n}",
          0, "", "", "", headers);
  EXPECT_EQ(headers, "Sign: kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA=\r\n");
}

TEST(TrtcCallbackTest, GroupTimeAndRoomStandWhereTheProviderPutsThem) {
  const ProviderCallback callback = Made("tencent-trtc", 1);
  EXPECT_THAT(callback.body, StartsWith("{\n\t\"EventGroupId\":\t1,\n\t\"EventType\":\t103,\n"
                                        "\t\"CallbackTs\":\t1700000000000,\n"));
  EXPECT_THAT(callback.body, HasSubstr("\"RoomId\":\t\"room1\""));
  EXPECT_EQ(callback.stream, "room1");
  EXPECT_EQ(Header(callback, "SdkAppId"), "1400000001");
  EXPECT_EQ(callback.appid, "1400000001");
  EXPECT_THAT(Made("tencent-trtc", 9).body, HasSubstr("\"CallbackMsTs\":"));
  EXPECT_THAT(Made("tencent-trtc", 6).body, HasSubstr("\"Payload\":"));
}

TEST(TrtcCallbackTest, ForgedIsSignedWithAnotherKeyAndExpiredIsADayOld) {
  const ProviderCallback genuine = Made("tencent-trtc", 1);
  const ProviderCallback forged = Made("tencent-trtc", 1, CallbackKind::kForged);
  EXPECT_EQ(forged.body, genuine.body);
  EXPECT_NE(Header(forged, "Sign"), Header(genuine, "Sign"));
  EXPECT_THAT(Made("tencent-trtc", 1, CallbackKind::kExpired).body,
              HasSubstr("\"CallbackTs\":\t1699913600000,"));
}

TEST(VolcengineCallbackTest, IsSignedByItsTimeForTenMinutes) {
  CallbackReader reader;
  const std::vector<std::string> keys = {"volckey"};
  const auto authentic = [&](CallbackKind kind) {
    const ProviderCallback callback = Made("volcengine-live", 1, kind);
    const CallbackReading& reading = reader.Read(callback.body);
    return TencentSignature().Verify(keys, reading.t, reading.sign);
  };
  EXPECT_TRUE(authentic(CallbackKind::kGenuine));
  EXPECT_EQ(reader.Read(Made("volcengine-live", 1).body).t, "1700000600");
  EXPECT_FALSE(authentic(CallbackKind::kForged));
  EXPECT_TRUE(authentic(CallbackKind::kExpired));
  const ProviderCallback expired = Made("volcengine-live", 1, CallbackKind::kExpired);
  EXPECT_EQ(reader.Read(expired.body).t, "1699913600");
  EXPECT_EQ(Made("volcengine-live", 1).domain, "push-1.livepush.example");
  EXPECT_EQ(Made("volcengine-live", 1).type, "push_start");
  EXPECT_EQ(Made("volcengine-live", 4).type, "push_end");
}

WebhookVerdict VerdictOn(const ProviderCallback& callback, WallTime now) {
  return std::move(WebhookSigner::Create({kSecret}))
      .value()
      .Verify(Header(callback, "webhook-id"), Header(callback, "webhook-timestamp"),
              Header(callback, "webhook-signature"), callback.body, now);
}

TEST(WebhookCallbackTest, HeadersAreWhatAReceiverVerifies) {
  EXPECT_EQ(VerdictOn(Made("standard-webhooks", 5), kNow), WebhookVerdict::kAuthentic);
  EXPECT_EQ(VerdictOn(Made("standard-webhooks", 5, CallbackKind::kForged), kNow),
            WebhookVerdict::kForged);
  EXPECT_EQ(VerdictOn(Made("standard-webhooks", 5, CallbackKind::kExpired), kNow),
            WebhookVerdict::kExpired);
}

TEST(WebhookCallbackTest, WhatIsSentAgainKeepsItsIdUnderANewSignature) {
  ProviderCallback callback = Made("standard-webhooks", 5);
  const std::string id = Header(callback, "webhook-id");
  const WallTime later = kNow + std::chrono::hours(1);
  EXPECT_EQ(VerdictOn(callback, later), WebhookVerdict::kExpired);
  MakerOf("standard-webhooks")->SignAgain(later, &callback);
  EXPECT_EQ(VerdictOn(callback, later), WebhookVerdict::kAuthentic);
  EXPECT_EQ(Header(callback, "webhook-id"), id);
}

TEST(WebhookCallbackTest, KeyThatIsNoSecretIsRefused) {
  EXPECT_FALSE(WebhookCallbackMaker::Create(Traffic("demo-key", {"a"})).ok());
}

TEST(HmacCallbackTest, SignatureOverTheBodyStandsBehindItsPrefix) {
  const ProviderCallback callback = Made("github", 3);
  EXPECT_EQ(Header(callback, "X-Hub-Signature-256"), "sha256=" + HmacHex("secret", callback.body));
  EXPECT_EQ(Header(callback, "X-GitHub-Event"), "release");
  EXPECT_THAT(callback.body, HasSubstr("\"id\":\"" + Header(callback, "X-GitHub-Delivery") + "\""));
  EXPECT_NE(Header(Made("github", 3, CallbackKind::kForged), "X-Hub-Signature-256"),
            "sha256=" + HmacHex("secret", callback.body));
}

TEST(HmacCallbackTest, TimeAndSignatureMayShareAHeader) {
  const ProviderCallback callback = Made("stripe", 3);
  EXPECT_EQ(Header(callback, "Stripe-Signature"),
            "t=1700000000,v1=" + HmacHex("secret", "1700000000." + callback.body));
  EXPECT_THAT(Header(Made("stripe", 3, CallbackKind::kExpired), "Stripe-Signature"),
              StartsWith("t=1699913600,v1="));
}

TEST(HmacCallbackTest, SignedHeadersAreSent) {
  HmacTraffic traffic = GithubTraffic();
  traffic.scheme.signed_text = "{header:X-Id}.{header:X-GitHub-Event}.{timestamp}.{body}";
  traffic.scheme.timestamp_header = "X-Time";
  traffic.id_header = "X-Id";
  ProviderCallback callback;
  std::move(HmacCallbackMaker::Create(traffic))
      .value()
      ->Make(0, CallbackKind::kGenuine, kNow, &callback);
  const std::string id = Header(callback, "X-Id");
  EXPECT_NE(id, "absent");
  EXPECT_EQ(callback.headers.find("X-Id"), callback.headers.rfind("X-Id"));
  EXPECT_EQ(callback.headers.find("X-GitHub-Event"), callback.headers.rfind("X-GitHub-Event"));
  EXPECT_EQ(Header(callback, "X-Time"), "1700000000");
  EXPECT_EQ(Header(callback, "X-Hub-Signature-256"),
            "sha256=" + HmacHex("secret", id + ".push.1700000000." + callback.body));
}

TEST(HmacCallbackTest, OnlyASchemeWithATimestampCanExpire) {
  EXPECT_FALSE(MakerOf("github")->CanExpire());
  EXPECT_TRUE(MakerOf("stripe")->CanExpire());
}

TEST(HmacCallbackTest, TextThatCannotBeSignedIsRefused) {
  for (const char* text : {"", "body", "{timestamp}.{body}", "{body}.{json:id}", "{body", "{x}"}) {
    HmacTraffic traffic = GithubTraffic();
    traffic.scheme.signed_text = text;
    EXPECT_FALSE(HmacCallbackMaker::Create(traffic).ok()) << text;
  }
}

}  // namespace
}  // namespace relay

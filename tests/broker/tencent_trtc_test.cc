#include "broker/providers/tencent_trtc.h"

#include <gtest/gtest.h>

#include "relay/hmac.h"
#include "tests/broker/signed_request.h"

namespace relay {
namespace {

using std::chrono::minutes;

const WallTime kSentAt = WallTime(Millis(1664209748188));

// The vector that the provider publishes.
const SignedRequest kGood = {
    {{"Sign", "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA="}, {"SdkAppId", "1400000001"}},
    "{\n\t\"EventGroupId\":\t2,\n\t\"EventType\":\t204,\n\t\"CallbackTs\":\t1664209748188,\n\t"
    "\"EventInfo\":\t{\n\t\t\"RoomId\":\t8489,\n\t\t\"EventTs\":\t1664209748,\n\t\t"
    "\"EventMsTs\":\t1664209748180,\n\t\t\"UserId\":\t\"user_85034614\",\n\t\t\"Reason\":\t0\n"
    "\t}\n}"};

class TencentTrtcTest : public testing::Test {
 protected:
  static Source SourceOf(std::string key) {
    Source source;
    source.provider = "tencent-trtc";
    source.keys = {"another", std::move(key)};
    return source;
  }
  // Signed as the provider does.
  static SignedRequest Sign(std::string body) {
    Hmac hmac(HmacAlgorithm::kSha256, "123654");
    hmac.Update(body);
    const auto digest = hmac.Finish();
    return {{{"Sign", Base64(digest)}}, std::move(body)};
  }
  static std::string Base64(std::span<const uint8_t> bytes) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t three = 0;
      for (size_t j = i; j < i + 3; ++j) three = three << 8 | (j < bytes.size() ? bytes[j] : 0);
      for (int shift = 18; shift >= 0; shift -= 6) out += kDigits[three >> shift & 63];
    }
    for (size_t i = 0; i < (3 - bytes.size() % 3) % 3; ++i) out[out.size() - 1 - i] = '=';
    return out;
  }

  JudgedSource source_{SourceOf("123654")};
};

TEST_F(TencentTrtcTest, TakesThePublishedVector) {
  ASSERT_EQ(source_.Judge(kGood, kSentAt), Authenticity::kAuthentic);
  EXPECT_EQ(source_.facts().type, "204");
  EXPECT_EQ(source_.facts().ordering_key, "8489");
  EXPECT_EQ(source_.facts().route.appid, "1400000001");
  EXPECT_EQ(source_.acknowledgement().body, "{\"code\":0}");
}

TEST_F(TencentTrtcTest, RefusesEverySpoiltVariant) {
  // One bit of the digest, cut short, bits that base64 throws away, hexadecimal.
  for (const char* sign : {"lkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA=",
                           "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA",
                           "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGB=",
                           "924a0578edce8766479e3b60f2d100421b572b5ebf288d395b70507dff08bc60"}) {
    EXPECT_EQ(source_.Judge(kGood.With("Sign", sign), kSentAt), Authenticity::kForged) << sign;
  }
  EXPECT_EQ(source_.Judge(kGood.With("Sign", ""), kSentAt), Authenticity::kUnsigned);
  // Written anew by another JSON library.
  std::string compact = kGood.body;
  std::erase_if(compact, [](char c) { return c == '\n' || c == '\t'; });
  EXPECT_EQ(source_.Judge(kGood.WithBody(compact), kSentAt), Authenticity::kForged);
  EXPECT_EQ(JudgedSource(SourceOf("123655")).Judge(kGood, kSentAt), Authenticity::kForged);
}

TEST_F(TencentTrtcTest, ExpiresAfterTheGrace) {
  EXPECT_EQ(source_.Judge(kGood, kSentAt + minutes(15)), Authenticity::kAuthentic);
  EXPECT_EQ(source_.Judge(kGood, kSentAt + minutes(15) + Millis(1)), Authenticity::kExpired);
  EXPECT_EQ(source_.Judge(kGood, kSentAt - minutes(15) - Millis(1)), Authenticity::kExpired);
  EXPECT_EQ(source_.facts().type, "");
}

TEST_F(TencentTrtcTest, ARepeatMayComeUnderANewCallbackTs) {
  const auto key_of = [this](const std::string& ts, const std::string& info) {
    const SignedRequest sent = Sign("{\"EventType\":103,\"CallbackTs\":" + ts + info + "}");
    EXPECT_EQ(source_.Judge(sent, kSentAt), Authenticity::kAuthentic) << sent.body;
    return source_.facts().dedupe_key;
  };
  const std::string with_time = R"(,"EventInfo":{"RoomId":"r","EventMsTs":5})";
  EXPECT_EQ(key_of("1664209748188", with_time), key_of("1664209758188", with_time));
  EXPECT_NE(key_of("1664209748188", with_time),
            key_of("1664209748188", R"(,"EventInfo":{"RoomId":"r","EventMsTs":6})"));
  // Without a time of its own two events may differ in nothing else.
  const std::string without = R"(,"EventInfo":{"RoomId":"r"})";
  EXPECT_NE(key_of("1664209748188", without), key_of("1664209758188", without));
}

TEST_F(TencentTrtcTest, WhatIsSignedAndMakesNoSenseIsMalformed) {
  for (const char* body :
       {"", "[]", "{\"EventType\":\"x\"}", "{\"EventType\":-1}", "{\"EventType\":1.5}",
        "{\"CallbackTs\":1664209748188.5}", "{\"CallbackTs\":-1}",
        "{\"CallbackTs\":166420974818800000000000000000}", "{\"a\":1,\"a\":2}"}) {
    EXPECT_EQ(source_.Judge(Sign(body), kSentAt), Authenticity::kMalformed) << body;
  }
  EXPECT_EQ(source_.Judge(Sign("{}"), kSentAt), Authenticity::kAuthentic);
}

}  // namespace
}  // namespace relay

#include "broker/providers/tencent_live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/broker/callback_builder.h"

namespace relay {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kNow = WallTime(Seconds(1703731478));

class TencentLiveTest : public testing::Test {
 protected:
  TencentLiveTest() { source_.keys = {std::string(kTestKey)}; }

  Authenticity Judge(const std::string& body, WallTime now = kNow) {
    HttpRequest request;
    request.body = body;
    const Verdict verdict = provider_.Verify(request, source_, now, facts_);
    EXPECT_EQ(verdict.why.empty(), verdict.authenticity == Authenticity::kAuthentic) << body;
    return verdict.authenticity;
  }
  // The dedupe key of a body that must be authentic.
  std::string KeyOf(const std::string& body, WallTime now = kNow) {
    EXPECT_EQ(Judge(body, now), Authenticity::kAuthentic) << body;
    return facts_.dedupe_key;
  }
  std::string T(int64_t after_now) { return std::to_string(SecondsSinceEpoch(kNow) + after_now); }

  Source source_;
  TencentLive provider_{source_};
  CallbackFacts facts_;
};

TEST_F(TencentLiveTest, ReadsWhatAPushSays) {
  ASSERT_EQ(Judge(PushBody(kNow)), Authenticity::kAuthentic);
  EXPECT_EQ(facts_.type, "1");
  EXPECT_EQ(facts_.ordering_key, "test_stream");
  EXPECT_EQ(facts_.route.push_domain, "test.domain.com");
  EXPECT_EQ(facts_.route.appid, "12345678");
  EXPECT_EQ(facts_.route.stream_id, "test_stream");
  EXPECT_EQ(facts_.route.stream_param, "tenant=acme&relay_seq=1");
  EXPECT_EQ(provider_.acknowledgement().status, 200);
  EXPECT_EQ(provider_.acknowledgement().body, "{\"code\":0}");
}

TEST_F(TencentLiveTest, KnowsTheOtherNamesOfTheSameThings) {
  ASSERT_EQ(Judge(SignedBody(R"("event_type":317,"streamId":"s\u0031","domain":"d","appId":"7")",
                             T(600))),
            Authenticity::kAuthentic);
  EXPECT_EQ(facts_.ordering_key, "s1");
  EXPECT_EQ(facts_.route.push_domain, "d");
  EXPECT_EQ(facts_.route.appid, "7");
}

TEST_F(TencentLiveTest, TakesEveryEventType) {
  for (const char* type : {"0", "1", "100", "200", "332", "99999", "-1", "\"317\""}) {
    EXPECT_EQ(Judge(SignedBody("\"event_type\":" + std::string(type), T(600))),
              Authenticity::kAuthentic)
        << type;
  }
  EXPECT_EQ(facts_.type, "317");
  EXPECT_EQ(Judge(SignedBody("", T(600))), Authenticity::kAuthentic);
  EXPECT_EQ(facts_.type, "");
}

TEST_F(TencentLiveTest, AnEventTypeThatIsNoIntegerIsMalformed) {
  for (const char* type : {"1.0", "1e2", "null", "[1]", "{}", "true", "\"\"", "\"push\"", "\"-\"",
                           "123456789012345678901"}) {
    EXPECT_EQ(Judge(SignedBody("\"event_type\":" + std::string(type), T(600))),
              Authenticity::kMalformed)
        << type;
    EXPECT_EQ(facts_.dedupe_key, "");
  }
}

TEST_F(TencentLiveTest, TheExpiryMayBeANumberOrAString) {
  TencentSignature signature;
  const std::string sign = signature.Sign(kTestKey, T(600));
  EXPECT_EQ(Judge("{\"t\":" + T(600) + ",\"sign\":\"" + sign + "\"}"), Authenticity::kAuthentic);
  EXPECT_EQ(Judge("{\"t\":\"" + T(600) + "\",\"sign\":\"" + sign + "\"}"),
            Authenticity::kAuthentic);
}

TEST_F(TencentLiveTest, AnExpiryThatIsNoPlainNumberIsMalformed) {
  for (const char* t : {"1703732078.0", "17e8", "-1703732078", "1703732078000000", "\"\"",
                        "\"0x658d\"", "\" 1703732078\"", "\"1703732078.5\"", "null", "true",
                        "[1703732078]", "{}", "99999999999999999999999999"}) {
    EXPECT_EQ(Judge("{\"sign\":\"7e686adf6045c49cee873dc7d8eb05af\",\"t\":" + std::string(t) + "}"),
              Authenticity::kMalformed)
        << t;
  }
}

TEST_F(TencentLiveTest, WithoutExpiryOrSignItIsUnsigned) {
  EXPECT_EQ(Judge("{}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge("{\"t\":1703732078}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge("{\"t\":1703732078,\"sign\":\"\"}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge("{\"sign\":\"7e686adf6045c49cee873dc7d8eb05af\"}"), Authenticity::kUnsigned);
  // Not at the top level.
  EXPECT_EQ(Judge("{\"a\":{\"t\":1,\"sign\":\"x\"}}"), Authenticity::kUnsigned);
}

TEST_F(TencentLiveTest, ASignOfNoneOfTheKeysIsForged) {
  const std::string head = "{\"t\":1703732078,\"sign\":";
  EXPECT_EQ(Judge(head + "\"7e686adf6045c49cee873dc7d8eb05af\"}"), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(head + "\"7e686adf6045c49cee873dc7d8eb05ae\"}"), Authenticity::kForged);
  EXPECT_EQ(Judge(head + "\"7e686adf\"}"), Authenticity::kForged);
  EXPECT_EQ(Judge(head + "\"zz686adf6045c49cee873dc7d8eb05af\"}"), Authenticity::kForged);
  EXPECT_EQ(Judge(head + "17}"), Authenticity::kMalformed);
  source_.keys = {"new", "other"};
  EXPECT_EQ(Judge(head + "\"7e686adf6045c49cee873dc7d8eb05af\"}"), Authenticity::kForged);
  source_.keys.push_back(std::string(kTestKey));
  EXPECT_EQ(Judge(head + "\"7e686adf6045c49cee873dc7d8eb05af\"}"), Authenticity::kAuthentic);
}

// The provider's twelfth retry comes after its `t` has passed.
TEST_F(TencentLiveTest, ExpiresOnlyAfterTheGrace) {
  source_.grace = minutes(15);
  const std::string body = PushBody(kNow);
  EXPECT_EQ(Judge(body, kNow + minutes(25)), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(body, kNow + minutes(25) + Seconds(1)), Authenticity::kExpired);
  EXPECT_EQ(facts_.dedupe_key, "");
}

TEST_F(TencentLiveTest, AForgedOneIsForgedEvenWhenItIsOld) {
  source_.keys = {"other"};
  EXPECT_EQ(Judge(PushBody(kNow), kNow + hours(48)), Authenticity::kForged);
}

TEST_F(TencentLiveTest, ASignatureThatIsGoodForMoreThanADayIsRefused) {
  EXPECT_EQ(Judge(SignedBody("", T(24 * 3600))), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(SignedBody("", T(24 * 3600 + 1))), Authenticity::kMalformed);
  EXPECT_EQ(Judge(SignedBody("", "999999999999")), Authenticity::kMalformed);
}

TEST_F(TencentLiveTest, WhatIsNoStrictJsonObjectIsMalformed) {
  const std::string good = PushBody(kNow);
  const std::vector<std::string> bodies = {"",
                                           "t=1&sign=2",
                                           "[]",
                                           good.substr(0, good.size() - 1),
                                           good + "}",
                                           "\xEF\xBB\xBF" + good,
                                           good + std::string(1, '\0'),
                                           "{\"t\":1," + good.substr(1),
                                           "{\"x\":{\"a\":1,\"a\":2}," + good.substr(1),
                                           "{\"x\":\"\xff\"," + good.substr(1)};
  for (const std::string& body : bodies) EXPECT_EQ(Judge(body), Authenticity::kMalformed) << body;
}

TEST_F(TencentLiveTest, ARepeatHasTheSameKeyAlthoughItIsSignedAnew) {
  EXPECT_EQ(KeyOf(PushBody(kNow)), KeyOf(PushBody(kNow + minutes(5)), kNow + minutes(5)));
  const std::string other = R"("event_type":332,"seq":"1")";
  EXPECT_EQ(KeyOf(SignedBody(other, T(600))), KeyOf(SignedBody(other, T(660))));
}

TEST_F(TencentLiveTest, DifferentCallbacksHaveDifferentKeys) {
  const std::string push = KeyOf(PushBody(kNow));
  EXPECT_NE(push, KeyOf(PushBody(kNow, "test_stream2")));
  EXPECT_NE(push, KeyOf(PushBody(kNow, "test_stream", "2210464508206756939")));
  EXPECT_NE(push, KeyOf(PushBody(kNow, "test_stream", "2210464508206756938", 0)));
  EXPECT_NE(push, KeyOf(PushBody(kNow, "test_stream", "2210464508206756938", 321)));
  EXPECT_NE(KeyOf(SignedBody(R"("a":1,"b":2)", T(600))),
            KeyOf(SignedBody(R"("a":2,"b":1)", T(600))));
}

TEST_F(TencentLiveTest, IdentityIsTheFieldsWhenAllOfThemAreThere) {
  const std::string file = R"("event_type":100,"stream_id":"s","file_id":"1","video_url":"u")";
  EXPECT_EQ(KeyOf(SignedBody(file, T(600))), KeyOf(SignedBody(file + R"(,"more":1)", T(600))));
  // One of them is missing or empty: every byte counts.
  const std::string part = R"("event_type":100,"stream_id":"s","file_id":"1","video_url":"")";
  EXPECT_NE(KeyOf(SignedBody(part, T(600))), KeyOf(SignedBody(part + R"(,"more":1)", T(600))));

  const std::string picture = R"("event_type":200,"stream_id":"s","create_time":1,"pic_url":"/p")";
  EXPECT_EQ(KeyOf(SignedBody(picture, T(600))), KeyOf(SignedBody(picture + R"(,"w":1)", T(600))));
  // The same name of a picture on the next day.
  const std::string next = R"("event_type":200,"stream_id":"s","create_time":2,"pic_url":"/p")";
  EXPECT_NE(KeyOf(SignedBody(picture, T(600))), KeyOf(SignedBody(next, T(600))));
}

TEST_F(TencentLiveTest, FieldsDoNotRunTogether) {
  const auto file = [this](const std::string& id, const std::string& url) {
    return KeyOf(SignedBody(
        R"("event_type":100,"stream_id":"s","file_id":")" + id + R"(","video_url":")" + url + "\"",
        T(600)));
  };
  EXPECT_NE(file("12", "3"), file("1", "23"));
}

}  // namespace
}  // namespace relay

#include <gtest/gtest.h>

#include "tests/broker/callback_builder.h"
#include "tests/broker/signed_request.h"

// What tencent-live makes of bodies that nobody should send, and of families that come unsigned.

namespace relay {
namespace {

const WallTime kInputTime = WallTime(Seconds(1703731478));
constexpr char kT[] = "1703732078";

class TencentLiveInputTest : public testing::Test {
 protected:
  static Source SourceOf(std::vector<std::string> unsigned_types = {}) {
    Source source;
    source.provider = "tencent-live";
    source.keys = {std::string(kTestKey)};
    source.unsigned_types = std::move(unsigned_types);
    return source;
  }
  Authenticity Judge(const std::string& body) { return source_.Judge({{}, body}, kInputTime); }
  static std::string SignOf(const std::string& t) { return TencentSignature().Sign(kTestKey, t); }

  JudgedSource source_{SourceOf()};
};

// The provider's own pages show bodies that are no JSON. They are signed here, so that nothing else
// is wrong with them.
TEST_F(TencentLiveInputTest, SamplesThatAreNoJsonAreMalformed) {
  const std::string end = ",\"t\":" + std::string(kT) + ",\"sign\":\"" + SignOf(kT) + "\"}";
  ASSERT_EQ(Judge("{\"event_type\":200" + end), Authenticity::kAuthentic);
  for (const char* members : {
           "\"t\": 1473126233 \"event_type\":0",            // No comma.
           "\"width\":1280 \"task_id\":\"1\"",              // No comma.
           "\"event_type\":200, // screenshot\n\"a\":1",    // A comment.
           "\"event_type\":200, /* screenshot */ \"a\":1",  // Another.
           "\"event_type\":100,\"app\":yourapp",            // No quotes.
           "\"event_type\":100,",                           // A comma too many.
           "'event_type':100",
       }) {
    EXPECT_EQ(Judge("{" + std::string(members) + end), Authenticity::kMalformed) << members;
  }
}

TEST_F(TencentLiveInputTest, ATimeThatIsNoneIsMalformedThoughItIsSigned) {
  for (const char* t : {"1703732078.5", "1703732078.0", "-1703732078", "1.703732078e9",
                        "170373207817037320781703732078"}) {
    const std::string digits = t;
    EXPECT_EQ(Judge(SignedBody("", digits)), Authenticity::kMalformed) << t;
    EXPECT_EQ(Judge("{\"t\":\"" + digits + "\",\"sign\":\"" + SignOf(digits) + "\"}"),
              Authenticity::kMalformed)
        << t;
  }
}

TEST_F(TencentLiveInputTest, TwoSignsAreMalformedInEitherOrder) {
  const std::string good = "\"sign\":\"" + SignOf(kT) + "\"";
  const std::string t = "\"t\":" + std::string(kT);
  EXPECT_EQ(Judge("{" + t + "," + good + "}"), Authenticity::kAuthentic);
  EXPECT_EQ(Judge("{" + t + "," + good + ",\"sign\":\"x\"}"), Authenticity::kMalformed);
  EXPECT_EQ(Judge("{" + t + ",\"sign\":\"x\"," + good + "}"), Authenticity::kMalformed);
  EXPECT_EQ(Judge("{" + t + "," + good + "," + good + "}"), Authenticity::kMalformed);
  // The same name, written with an escape.
  EXPECT_EQ(Judge("{" + t + "," + good + ",\"s\\u0069gn\":\"x\"}"), Authenticity::kMalformed);
}

TEST_F(TencentLiveInputTest, BytesThatAreNoTextAreMalformed) {
  const std::string good = SignedBody("\"errmsg\":\"ok\"", kT);
  ASSERT_EQ(Judge(good), Authenticity::kAuthentic);
  EXPECT_EQ(Judge("\xEF\xBB\xBF" + good), Authenticity::kMalformed);
  // Overlong, a surrogate, cut short, beyond Unicode, a byte that never occurs.
  for (const char* bytes : {"\xC0\xAF", "\xED\xA0\x80", "\xE4\xB8", "\xF4\x90\x80\x80", "\xFE"}) {
    EXPECT_EQ(Judge(SignedBody("\"errmsg\":\"" + std::string(bytes) + "\"", kT)),
              Authenticity::kMalformed);
    EXPECT_EQ(Judge(SignedBody("\"" + std::string(bytes) + "\":1", kT)), Authenticity::kMalformed);
  }
}

TEST_F(TencentLiveInputTest, ADepthOfAThousandIsMalformed) {
  const auto nested = [](int depth) {
    return SignedBody("\"a\":" + std::string(depth, '[') + std::string(depth, ']'), kT);
  };
  EXPECT_EQ(Judge(nested(63)), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(nested(1000)), Authenticity::kMalformed);
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  EXPECT_EQ(Judge(SignedBody("\"a\":" + objects + "1" + std::string(1000, '}'), kT)),
            Authenticity::kMalformed);
}

TEST_F(TencentLiveInputTest, AMebibyteOfStreamParamIsTakenWhole) {
  const std::string param = "tenant=acme&x=" + std::string(1 << 20, 'p');
  ASSERT_EQ(Judge(SignedBody("\"event_type\":1,\"stream_param\":\"" + param + "\"", kT)),
            Authenticity::kAuthentic);
  EXPECT_EQ(source_.facts().route.stream_param, param);
}

TEST_F(TencentLiveInputTest, LongNumbersAreNotTakenThroughADouble) {
  const auto key_of = [this](const std::string& sequence) {
    const std::string members =
        R"("event_type":1,"appid":7,"app":"d","appname":"live","stream_id":"s","sequence":)";
    EXPECT_EQ(Judge(SignedBody(members + sequence, kT)), Authenticity::kAuthentic);
    return source_.facts().dedupe_key;
  };
  EXPECT_NE(key_of("9007199254740993"), key_of("9007199254740992"));
  // Written as a number or as a string it is the same push.
  EXPECT_EQ(key_of("2210464508206756938"), key_of("\"2210464508206756938\""));
}

TEST_F(TencentLiveInputTest, APushIsKnownAgainByEitherSpelling) {
  const auto key_of = [this](const std::string& members) {
    EXPECT_EQ(Judge(SignedBody("\"event_type\":0," + members, kT)), Authenticity::kAuthentic);
    return source_.facts().dedupe_key;
  };
  EXPECT_EQ(key_of(R"("appid":7,"app":"d","appname":"live","stream_id":"s","sequence":"1","x":1)"),
            key_of(R"("appId":"7","domain":"d","path":"live","streamId":"s","seq":1,"x":2)"));
}

TEST_F(TencentLiveInputTest, UnsignedTypesAreTakenOnlyWhereTheSourceSaysSo) {
  const std::string body = R"({"event_type":314,"stream_id":"s","task_id":"k"})";
  EXPECT_EQ(Judge(body), Authenticity::kUnsigned);
  source_ = JudgedSource(SourceOf({"315", "314"}));
  ASSERT_EQ(Judge(body), Authenticity::kAuthentic);
  EXPECT_EQ(source_.facts().type, "314");
  EXPECT_EQ(source_.facts().ordering_key, "s");
  EXPECT_EQ(Judge(R"({"event_type":"314"})"), Authenticity::kAuthentic);
  for (const char* other : {R"({"event_type":1})", R"({})", R"({"event_type":null})",
                            R"({"event_type":[314]})", R"({"event_type":3140})"}) {
    EXPECT_EQ(Judge(other), Authenticity::kUnsigned) << other;
  }
  EXPECT_EQ(Judge(R"({"event_type":314)"), Authenticity::kMalformed);
}

// Or whoever may not forge a signature would spoil it instead.
TEST_F(TencentLiveInputTest, ASignatureOfAnUnsignedTypeMustBeRight) {
  source_ = JudgedSource(SourceOf({"314"}));
  const std::string head = "{\"event_type\":314,\"t\":" + std::string(kT);
  EXPECT_EQ(Judge(SignedBody("\"event_type\":314", kT)), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(head + ",\"sign\":\"" + SignOf("1") + "\"}"), Authenticity::kForged);
  EXPECT_EQ(Judge(head + "}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge(head + ",\"sign\":\"\"}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge("{\"event_type\":314,\"sign\":\"x\"}"), Authenticity::kUnsigned);
}

}  // namespace
}  // namespace relay

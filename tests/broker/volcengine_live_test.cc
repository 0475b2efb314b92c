#include "broker/providers/volcengine_live.h"

#include <gtest/gtest.h>

#include "tests/broker/callback_builder.h"
#include "tests/broker/signed_request.h"

namespace relay {
namespace {

using std::chrono::minutes;

const WallTime kPushTime = WallTime(Seconds(1703731478));
constexpr char kPushT[] = "1703732078";
constexpr char kPush[] =
    R"("event_type":"push_start","vhost":"v.example","domain":"push.example","app":"live",)"
    R"("stream":"acme_1","sequence_id":"9007199254740993")";

class VolcengineLiveTest : public testing::Test {
 protected:
  static Source SourceOf() {
    Source source;
    source.provider = "volcengine-live";
    source.keys = {"another", std::string(kTestKey)};
    return source;
  }
  Authenticity Judge(const std::string& body, WallTime now = kPushTime) {
    return source_.Judge({{}, body}, now);
  }

  JudgedSource source_{SourceOf()};
};

TEST_F(VolcengineLiveTest, ReadsWhatAPushSays) {
  for (const std::string& t : {std::string(kPushT), "\"" + std::string(kPushT) + "\""}) {
    TencentSignature signature;
    ASSERT_EQ(Judge("{" + std::string(kPush) + ",\"t\":" + t + ",\"sign\":\"" +
                    signature.Sign(kTestKey, kPushT) + "\"}"),
              Authenticity::kAuthentic);
    EXPECT_EQ(source_.facts().type, "push_start");
    EXPECT_EQ(source_.facts().ordering_key, "acme_1");
    EXPECT_EQ(source_.facts().route.push_domain, "push.example");
  }
}

TEST_F(VolcengineLiveTest, ReadsTheOlderShape) {
  const std::string older = R"("code":0,"message":"ok","data":{)" + std::string(kPush) + "}";
  ASSERT_EQ(Judge(SignedBody(older, kPushT)), Authenticity::kAuthentic);
  EXPECT_EQ(source_.facts().type, "push_start");
  EXPECT_EQ(source_.facts().ordering_key, "acme_1");
}

TEST_F(VolcengineLiveTest, ARepeatIsSignedAnewAndAnotherEventIsNone) {
  const auto key_of = [this](const std::string& members, const std::string& t) {
    EXPECT_EQ(Judge(SignedBody(members, t)), Authenticity::kAuthentic);
    return source_.facts().dedupe_key;
  };
  EXPECT_EQ(key_of(kPush, kPushT), key_of(kPush, "1703732081"));
  // They differ beyond what a double holds.
  EXPECT_NE(key_of("\"sequence_id\":9007199254740993", kPushT),
            key_of("\"sequence_id\":9007199254740992", kPushT));
}

TEST_F(VolcengineLiveTest, RefusesEverySpoiltVariant) {
  const std::string good = SignedBody(kPush, kPushT);
  EXPECT_EQ(Judge(good, kPushTime + minutes(25)), Authenticity::kAuthentic);
  EXPECT_EQ(Judge(good, kPushTime + minutes(25) + Seconds(1)), Authenticity::kExpired);
  std::string forged = good;
  forged[good.find("\"sign\":\"") + 8] ^= 1;
  EXPECT_NE(Judge(forged), Authenticity::kAuthentic);
  EXPECT_EQ(Judge("{" + std::string(kPush) + "}"), Authenticity::kUnsigned);
  EXPECT_EQ(Judge(good.substr(0, good.size() - 1)), Authenticity::kMalformed);
  EXPECT_EQ(Judge(SignedBody(R"("event_type":"a b")", kPushT)), Authenticity::kMalformed);
  EXPECT_EQ(source_.facts().dedupe_key, "");
}

}  // namespace
}  // namespace relay

#include "broker/providers/standard_webhooks.h"

#include <gtest/gtest.h>

#include "tests/broker/signed_request.h"

namespace relay {
namespace {

const WallTime kVectorTime = WallTime(Seconds(1614265330));

// A published vector of the scheme.
const SignedRequest kVector = {
    {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
     {"webhook-timestamp", "1614265330"},
     {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
    R"({"test": 2432232314})"};

Source SourceOf(std::vector<std::string> keys) {
  Source source;
  source.provider = "standard-webhooks";
  source.keys = std::move(keys);
  return source;
}

class StandardWebhooksTest : public testing::Test {
 protected:
  JudgedSource source_{SourceOf({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})};
};

TEST_F(StandardWebhooksTest, TakesThePublishedVector) {
  ASSERT_EQ(source_.Judge(kVector, kVectorTime), Authenticity::kAuthentic);
  EXPECT_NE(source_.facts().dedupe_key.find("msg_p5jXN8AQM9LWM0D4loKWxJek"), std::string::npos);
  EXPECT_EQ(source_.facts().type, "");
}

TEST_F(StandardWebhooksTest, OneOfTheListIsEnoughAndOtherSchemesArePassedOver) {
  const std::string& mine = kVector.Header("webhook-signature");
  EXPECT_EQ(
      source_.Judge(kVector.With("webhook-signature", "v1,AAAA v1a,BBBB " + mine), kVectorTime),
      Authenticity::kAuthentic);
  EXPECT_EQ(source_.Judge(kVector.With("webhook-signature", "v1a," + mine.substr(3)), kVectorTime),
            Authenticity::kUnsigned);
}

TEST_F(StandardWebhooksTest, RefusesEverySpoiltVariant) {
  const std::string mine = kVector.Header("webhook-signature");
  for (const std::string& spoilt :
       {"v1," + std::string(44, 'A'), mine.substr(0, mine.size() - 1), mine + "=",
        // The same bytes: other bits that base64 throws away, and its URL alphabet.
        std::string("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="),
        std::string("v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=")}) {
    EXPECT_EQ(source_.Judge(kVector.With("webhook-signature", spoilt), kVectorTime),
              Authenticity::kForged)
        << spoilt;
  }
  EXPECT_EQ(source_.Judge(kVector.With("webhook-id", "msg_other"), kVectorTime),
            Authenticity::kForged);
  EXPECT_EQ(source_.Judge(kVector.With("webhook-timestamp", "1614265331"), kVectorTime),
            Authenticity::kForged);
  EXPECT_EQ(source_.Judge(kVector.With("webhook-timestamp", "now"), kVectorTime),
            Authenticity::kMalformed);
  EXPECT_EQ(source_.Judge(kVector.WithBody(R"({"test":2432232314})"), kVectorTime),
            Authenticity::kForged);
  for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    EXPECT_EQ(source_.Judge(kVector.With(name, ""), kVectorTime), Authenticity::kUnsigned) << name;
    SignedRequest twice = kVector;
    twice.headers.emplace_back(name, kVector.Header(name));
    EXPECT_EQ(source_.Judge(twice, kVectorTime), Authenticity::kMalformed) << name;
  }
  EXPECT_EQ(source_.Judge(kVector, kVectorTime + Seconds(301)), Authenticity::kExpired);
  EXPECT_EQ(source_.Judge(kVector, kVectorTime - Seconds(301)), Authenticity::kExpired);
  EXPECT_EQ(source_.facts().dedupe_key, "");
}

// Never a pass: not by an empty key either.
TEST_F(StandardWebhooksTest, ASecretThatDoesNotDecodeMatchesNothing) {
  EXPECT_EQ(JudgedSource(SourceOf({"no secret", ""})).Judge(kVector, kVectorTime),
            Authenticity::kForged);
}

}  // namespace
}  // namespace relay

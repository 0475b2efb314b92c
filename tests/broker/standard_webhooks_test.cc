#include "broker/providers/standard_webhooks.h"

#include <gtest/gtest.h>

#include "tests/broker/signed_request.h"

namespace relay {
namespace {

const WallTime kNow = WallTime(Seconds(1614265330));

// A published vector of the scheme.
const SignedRequest kGood = {
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
  ASSERT_EQ(source_.Judge(kGood, kNow), Authenticity::kAuthentic);
  EXPECT_NE(source_.facts().dedupe_key.find("msg_p5jXN8AQM9LWM0D4loKWxJek"), std::string::npos);
  EXPECT_EQ(source_.facts().type, "");
}

TEST_F(StandardWebhooksTest, OneOfTheListIsEnoughAndOtherSchemesArePassedOver) {
  const std::string& mine = kGood.Header("webhook-signature");
  EXPECT_EQ(source_.Judge(kGood.With("webhook-signature", "v1,AAAA v1a,BBBB " + mine), kNow),
            Authenticity::kAuthentic);
  EXPECT_EQ(source_.Judge(kGood.With("webhook-signature", "v1a," + mine.substr(3)), kNow),
            Authenticity::kUnsigned);
}

TEST_F(StandardWebhooksTest, RefusesEverySpoiltVariant) {
  const std::string mine = kGood.Header("webhook-signature");
  for (const std::string& spoilt :
       {"v1," + std::string(44, 'A'), mine.substr(0, mine.size() - 1), mine + "=",
        // The same bytes: other bits that base64 throws away, and its URL alphabet.
        std::string("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="),
        std::string("v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=")}) {
    EXPECT_EQ(source_.Judge(kGood.With("webhook-signature", spoilt), kNow), Authenticity::kForged)
        << spoilt;
  }
  EXPECT_EQ(source_.Judge(kGood.With("webhook-id", "msg_other"), kNow), Authenticity::kForged);
  EXPECT_EQ(source_.Judge(kGood.With("webhook-timestamp", "1614265331"), kNow),
            Authenticity::kForged);
  EXPECT_EQ(source_.Judge(kGood.With("webhook-timestamp", "now"), kNow), Authenticity::kMalformed);
  EXPECT_EQ(source_.Judge(kGood.WithBody(R"({"test":2432232314})"), kNow), Authenticity::kForged);
  for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    EXPECT_EQ(source_.Judge(kGood.With(name, ""), kNow), Authenticity::kUnsigned) << name;
    SignedRequest twice = kGood;
    twice.headers.emplace_back(name, kGood.Header(name));
    EXPECT_EQ(source_.Judge(twice, kNow), Authenticity::kMalformed) << name;
  }
  EXPECT_EQ(source_.Judge(kGood, kNow + Seconds(301)), Authenticity::kExpired);
  EXPECT_EQ(source_.Judge(kGood, kNow - Seconds(301)), Authenticity::kExpired);
  EXPECT_EQ(source_.facts().dedupe_key, "");
}

// Never a pass: not by an empty key either.
TEST_F(StandardWebhooksTest, ASecretThatDoesNotDecodeMatchesNothing) {
  EXPECT_EQ(JudgedSource(SourceOf({"no secret", ""})).Judge(kGood, kNow), Authenticity::kForged);
}

}  // namespace
}  // namespace relay

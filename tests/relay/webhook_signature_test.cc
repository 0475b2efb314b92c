#include "relay/webhook_signature.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

// The vector that the specification's own libraries test themselves with.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr int64_t kTimestamp = 1614265330;
constexpr const char* kBody = "{\"test\": 2432232314}";
constexpr const char* kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr const char* kOtherSecret = "whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=";

WallTime At(int64_t seconds) {
  return WallTime(Seconds(seconds));
}

std::string SignWith(const std::vector<std::string>& secrets) {
  std::string signature;
  WebhookSigner::Create(secrets)->AppendSignature(kId, kTimestamp, kBody, signature);
  return signature;
}

WebhookVerdict VerifyAt(int64_t now, std::string_view signature, std::string_view body = kBody) {
  return WebhookSigner::Create({kSecret})->Verify(kId, std::to_string(kTimestamp), signature, body,
                                                  At(now));
}

TEST(WebhookSignatureTest, SignsThePublishedVector) {
  EXPECT_EQ(SignWith({kSecret}), kSignature);
}

TEST(WebhookSignatureTest, TheKeyedStateServesManySignatures) {
  const auto signer = WebhookSigner::Create({kSecret});
  std::string other;
  signer->AppendSignature("msg_2", 1, "{}", other);
  std::string again;
  signer->AppendSignature(kId, kTimestamp, kBody, again);
  EXPECT_EQ(again, kSignature);
  EXPECT_NE(other, again);
}

// During a rotation a receiver that knows only one of the two secrets must be content.
TEST(WebhookSignatureTest, TwoSecretsMakeAListThatEitherVerifies) {
  const std::string list = SignWith({kOtherSecret, kSecret});
  EXPECT_EQ(list.substr(list.find(' ') + 1), kSignature);
  for (const char* secret : {kSecret, kOtherSecret}) {
    EXPECT_EQ(WebhookSigner::Create({secret})->Verify(kId, std::to_string(kTimestamp), list, kBody,
                                                      At(kTimestamp)),
              WebhookVerdict::kAuthentic);
  }
}

TEST(WebhookSignatureTest, EntriesOfOtherSchemesArePassedOver) {
  EXPECT_EQ(VerifyAt(kTimestamp, std::string("v1a,AAAA v2,x  ") + kSignature),
            WebhookVerdict::kAuthentic);
}

TEST(WebhookSignatureTest, OneChangedByteIsForged) {
  EXPECT_EQ(VerifyAt(kTimestamp, kSignature, "{\"test\": 2432232315}"), WebhookVerdict::kForged);
  std::string signature = kSignature;
  signature[5] = 'x';
  EXPECT_EQ(VerifyAt(kTimestamp, signature), WebhookVerdict::kForged);
  EXPECT_EQ(VerifyAt(kTimestamp, "v1,"), WebhookVerdict::kForged);
  EXPECT_EQ(VerifyAt(kTimestamp, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            WebhookVerdict::kForged);
}

TEST(WebhookSignatureTest, TheToleranceHoldsBothWays) {
  EXPECT_EQ(VerifyAt(kTimestamp + 300, kSignature), WebhookVerdict::kAuthentic);
  EXPECT_EQ(VerifyAt(kTimestamp - 300, kSignature), WebhookVerdict::kAuthentic);
  EXPECT_EQ(VerifyAt(kTimestamp + 301, kSignature), WebhookVerdict::kExpired);
  EXPECT_EQ(VerifyAt(kTimestamp - 301, kSignature), WebhookVerdict::kExpired);
}

TEST(WebhookSignatureTest, AMissingOrUnreadableHeaderIsNotForgery) {
  const auto signer = WebhookSigner::Create({kSecret});
  EXPECT_EQ(signer->Verify("", "1", kSignature, kBody, At(1)), WebhookVerdict::kUnsigned);
  EXPECT_EQ(signer->Verify(kId, "", kSignature, kBody, At(1)), WebhookVerdict::kUnsigned);
  EXPECT_EQ(signer->Verify(kId, "1", "", kBody, At(1)), WebhookVerdict::kUnsigned);
  EXPECT_EQ(signer->Verify(kId, "-1", kSignature, kBody, At(1)), WebhookVerdict::kExpired);
  EXPECT_EQ(signer->Verify(kId, "1.0", kSignature, kBody, At(1)), WebhookVerdict::kExpired);
  EXPECT_EQ(signer->Verify(kId, "99999999999999999999", kSignature, kBody, At(1)),
            WebhookVerdict::kExpired);
}

TEST(WebhookSignatureTest, RefusesSecretsThatAreTooShortOrNoBase64) {
  for (const char* secret :
       {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==w",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", " whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    EXPECT_FALSE(WebhookSigner::Create({secret}).ok()) << secret;
  }
  EXPECT_FALSE(WebhookSigner::Create({}).ok());
  EXPECT_FALSE(DecodeWebhookSecret("whsec_" + std::string(88, 'A')).ok());  // 66 bytes
}

}  // namespace
}  // namespace relay

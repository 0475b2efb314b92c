#include "relay/hmac.h"

#include <gtest/gtest.h>

#include "relay/sha256.h"

namespace relay {
namespace {

std::string HexOf(HmacAlgorithm algorithm, const std::string& key, std::string_view text) {
  Hmac hmac(algorithm, key);
  hmac.Update(text);
  const auto digest = hmac.Finish();
  return HexText(digest.data(), digest.size());
}

// RFC 2202 and RFC 4231.
TEST(HmacTest, GivesThePublishedVectors) {
  constexpr std::string_view kText = "what do ya want for nothing?";
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha1, "Jefe", kText), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha256, "Jefe", kText),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha512, "Jefe", kText),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(HmacTest, AKeyLongerThanABlockIsHashedFirst) {
  constexpr std::string_view kText = "Test Using Larger Than Block-Size Key - Hash Key First";
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha1, std::string(80, '\xaa'), kText),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha256, std::string(131, '\xaa'), kText),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(HexOf(HmacAlgorithm::kSha512, std::string(131, '\xaa'), kText),
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

TEST(HmacTest, OneObjectServesOneSignatureAfterAnother) {
  for (const HmacAlgorithm algorithm :
       {HmacAlgorithm::kSha1, HmacAlgorithm::kSha256, HmacAlgorithm::kSha512}) {
    Hmac hmac(algorithm, "key");
    for (int i = 0; i < 3; ++i) {
      hmac.Update("a");
      hmac.Update("");
      hmac.Update("b");
      const auto digest = hmac.Finish();
      EXPECT_EQ(HexText(digest.data(), digest.size()), HexOf(algorithm, "key", "ab"));
    }
  }
}

}  // namespace
}  // namespace relay

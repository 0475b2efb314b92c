#include "relay/tencent_signature.h"

#include <gtest/gtest.h>

#include <vector>

namespace relay {
namespace {

// Computed with md5sum: printf testkey1703732078 | md5sum.
constexpr char kSign[] = "7e686adf6045c49cee873dc7d8eb05af";

TEST(TencentSignatureTest, SignsLikeTheProvider) {
  TencentSignature signature;
  EXPECT_EQ(signature.Sign("testkey", "1703732078"), kSign);
  EXPECT_EQ(signature.Sign("5f4dcc3b5aa765d6", "1484034509"), "05ed77b902098e69feb13637a4a5d82e");
}

TEST(TencentSignatureTest, TakesEveryOneOfSeveralKeys) {
  TencentSignature signature;
  EXPECT_TRUE(signature.Verify(std::vector<std::string>{"testkey"}, "1703732078", kSign));
  EXPECT_TRUE(signature.Verify(std::vector<std::string>{"new", "testkey"}, "1703732078", kSign));
  EXPECT_TRUE(signature.Verify(std::vector<std::string>{"testkey", "new"}, "1703732078", kSign));
  EXPECT_FALSE(signature.Verify(std::vector<std::string>{"new", "old"}, "1703732078", kSign));
  EXPECT_FALSE(signature.Verify({}, "1703732078", kSign));
}

TEST(TencentSignatureTest, IgnoresTheCaseOfTheDigits) {
  TencentSignature signature;
  EXPECT_TRUE(signature.Verify(std::vector<std::string>{"testkey"}, "1703732078",
                               "7E686ADF6045C49CEE873DC7D8EB05AF"));
}

TEST(TencentSignatureTest, RefusesWhatIsNoDigest) {
  TencentSignature signature;
  const std::vector<std::string> keys = {"testkey"};
  const std::string sign = kSign;
  for (const std::string& bad :
       {std::string(), sign.substr(1), sign + "0", "x" + sign.substr(1), "@" + sign.substr(1),
        std::string(32, '\0'), sign.substr(0, 31) + "e"}) {
    EXPECT_FALSE(signature.Verify(keys, "1703732078", bad)) << bad;
  }
  EXPECT_FALSE(signature.Verify(keys, "1703732079", kSign));
}

TEST(BlankSignatureTest, BlanksTheTwoTopLevelValuesOnly) {
  EXPECT_EQ(BlankSignature(R"({"t": 17 ,"a":{"t":1,"sign":"x"},"sign":"ab"})"),
            R"({"t": 0 ,"a":{"t":1,"sign":"x"},"sign":""})");
  EXPECT_EQ(BlankSignature(R"({"sign":"ab","t":"17"})"), R"({"sign":"","t":0})");
  EXPECT_EQ(BlankSignature(R"({"a":1})"), R"({"a":1})");
}

TEST(BlankSignatureTest, LeavesWhatIsNoJsonObjectAsItIs) {
  EXPECT_EQ(BlankSignature("t=1&sign=2"), "t=1&sign=2");
}

}  // namespace
}  // namespace relay

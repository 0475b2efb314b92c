#include "relay/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace relay {
namespace {

std::string Encoded(std::string_view bytes) {
  std::string out = ">";
  AppendBase64(bytes, out);
  return out.substr(1);
}

// RFC 4648, section 10.
TEST(Base64Test, TheVectorsOfTheStandard) {
  const char* kVectors[][2] = {{"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
                               {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(Encoded(bytes), text);
    std::string decoded;
    EXPECT_TRUE(DecodeBase64(text, decoded));
    EXPECT_EQ(decoded, bytes);
  }
  EXPECT_EQ(Encoded(""), "");
}

TEST(Base64Test, ManyBytesAreOneText) {
  const std::string bytes(7 * 1024 * 1024 + 1, '\xfe');
  std::string decoded;
  ASSERT_TRUE(DecodeBase64(Encoded(bytes), decoded));
  EXPECT_EQ(decoded, bytes);
}

TEST(Base64Test, WhatIsNotWholeIsRefused) {
  std::string decoded;
  for (const char* text : {"", "Zg", "Zg=", "Z===", "Zg==\n", " Zg=", "Zm9-", "Zm9_", "=Zg="}) {
    EXPECT_FALSE(DecodeBase64(text, decoded)) << text;
  }
}

}  // namespace
}  // namespace relay

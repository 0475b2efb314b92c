#include "relay/md5.h"

#include <gtest/gtest.h>

#include <string>

namespace relay {
namespace {

TEST(Md5Test, KnowsTheDigestsOfRfc1321) {
  EXPECT_EQ(Md5Hex({}), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Hex({"abc"}), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Md5Test, PiecesAreHashedAsOneText) {
  EXPECT_EQ(Md5({"message", "", " digest"}), Md5({"message digest"}));
  EXPECT_EQ(Md5Hex({"message", " digest"}), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Md5Test, DigitsOfEitherCaseAreTheSameDigest) {
  Md5Digest digest;
  ASSERT_TRUE(ParseMd5Hex("900150983CD24fb0d6963f7d28e17f72", digest));
  EXPECT_TRUE(SameMd5(digest, Md5({"abc"})));
  EXPECT_FALSE(SameMd5(digest, Md5({"abd"})));
}

TEST(Md5Test, WhatIsNoDigestIsNotRead) {
  Md5Digest digest;
  const std::string right = "900150983cd24fb0d6963f7d28e17f72";
  EXPECT_FALSE(ParseMd5Hex("", digest));
  EXPECT_FALSE(ParseMd5Hex(right.substr(1), digest));
  EXPECT_FALSE(ParseMd5Hex(right + "0", digest));
  EXPECT_FALSE(ParseMd5Hex("g" + right.substr(1), digest));
}

}  // namespace
}  // namespace relay

#include "relay/sha256.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(Sha256Test, GivesTheDigestsOfFips180) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, OneObjectServesOneHashAfterAnother) {
  Sha256 hash;
  hash.Update("something else");
  hash.Finish();
  hash.Update("a");
  hash.Update("bc");
  const Sha256::Digest digest = hash.Finish();
  EXPECT_EQ(HexText(digest.data(), digest.size()), Sha256Hex("abc"));
}

TEST(Sha256Test, LengthsKeepPiecesApart) {
  Sha256 hash;
  hash.UpdateWithLength("ab");
  hash.UpdateWithLength("c");
  const Sha256::Digest one = hash.Finish();
  hash.UpdateWithLength("a");
  hash.UpdateWithLength("bc");
  EXPECT_NE(one, hash.Finish());
}

}  // namespace
}  // namespace relay

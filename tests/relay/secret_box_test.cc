#include "relay/secret_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace relay {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

SecretBox BoxOf(unsigned char filling) {
  SecretBox::Key key;
  key.fill(filling);
  return SecretBox::FromKey(key);
}

class SecretBoxFile : public testing::Test {
 protected:
  SecretBoxFile() {
    folder_ = testing::TempDir() + "relay_secret_box_XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/key";
  }
  ~SecretBoxFile() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::binary) << text;
    chmod(path_.c_str(), mode);
  }

  std::string folder_;
  std::string path_;
};

TEST(SecretBox, WhatIsSealedOpensAgain) {
  const SecretBox box = BoxOf(1);
  for (const std::string& secret : {std::string(), std::string("whsec_abc"),
                                    std::string("\0\xff", 2), std::string(4096, 'x')}) {
    const Result<std::string> opened = box.Open(box.Seal(secret, "a/b"), "a/b");
    ASSERT_TRUE(opened.ok()) << opened.status().text();
    EXPECT_EQ(*opened, secret);
  }
}

TEST(SecretBox, ASealedSecretShowsKeyIdAndNothingElse) {
  const SecretBox box = BoxOf(1);
  const std::string sealed = box.Seal("hunter2", "a/b");
  EXPECT_THAT(sealed, MatchesRegex("enc:1:[0-9a-f]{8}:[A-Za-z0-9+/]+=*"));
  EXPECT_THAT(sealed, HasSubstr(box.key_id()));
  // The same secret twice looks like two: nobody can tell which endpoints share one.
  EXPECT_NE(sealed, box.Seal("hunter2", "a/b"));
}

TEST(SecretBox, ASecretOpensOnlyInItsPlace) {
  const SecretBox box = BoxOf(1);
  const Result<std::string> opened = box.Open(box.Seal("hunter2", "a/b"), "a/c");
  EXPECT_EQ(opened.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(opened.status().text(), HasSubstr("a/c was changed or belongs to another place"));
}

TEST(SecretBox, AWrongKeyIsNamed) {
  const SecretBox box = BoxOf(1);
  const SecretBox other = BoxOf(2);
  const Result<std::string> opened = other.Open(box.Seal("hunter2", "a/b"), "a/b");
  EXPECT_THAT(opened.status().text(), HasSubstr("sealed with key " + box.key_id()));
  EXPECT_THAT(opened.status().text(), HasSubstr("holds key " + other.key_id()));
}

TEST(SecretBox, AnyChangedByteIsNoticed) {
  const SecretBox box = BoxOf(1);
  const std::string sealed = box.Seal("hunter2", "a/b");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(box.Open(changed, "a/b").ok()) << i;
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(box.Open(sealed.substr(0, size), "a/b").ok()) << size;
  }
}

TEST(SecretBox, TextThatIsNotSealedIsRefusedAndNotShown) {
  const Result<std::string> opened = BoxOf(1).Open("hunter2", "a/b");
  EXPECT_THAT(opened.status().text(), HasSubstr("not sealed"));
  EXPECT_THAT(opened.status().text(), Not(HasSubstr("hunter2")));
}

TEST(SecretBox, AMovedBoxStillOpens) {
  SecretBox first = BoxOf(1);
  const std::string sealed = first.Seal("hunter2", "a/b");
  SecretBox second = std::move(first);
  EXPECT_EQ(*second.Open(sealed, "a/b"), "hunter2");
  SecretBox third = BoxOf(3);
  third = std::move(second);
  EXPECT_EQ(*third.Open(sealed, "a/b"), "hunter2");
}

TEST_F(SecretBoxFile, AGeneratedKeyIsPrivateAndNeverOverwritten) {
  ASSERT_TRUE(SecretBox::GenerateKeyFile(path_).ok());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const Result<SecretBox> box = SecretBox::FromKeyFile(path_);
  ASSERT_TRUE(box.ok()) << box.status().text();
  EXPECT_EQ(SecretBox::GenerateKeyFile(path_).code(), StatusCode::kConflict);
  EXPECT_EQ(SecretBox::FromKeyFile(path_)->key_id(), box->key_id());
}

TEST_F(SecretBoxFile, RawBytesAndHexDigitsAreTheSameKey) {
  Write(std::string(32, '\x01'));
  const Result<SecretBox> raw = SecretBox::FromKeyFile(path_);
  ASSERT_TRUE(raw.ok()) << raw.status().text();
  std::string digits;
  for (int i = 0; i < 32; ++i) digits += "01";
  Write(digits + "\n");
  const Result<SecretBox> hex = SecretBox::FromKeyFile(path_);
  ASSERT_TRUE(hex.ok()) << hex.status().text();
  EXPECT_EQ(raw->key_id(), hex->key_id());
}

TEST_F(SecretBoxFile, AKeyThatOthersMayReadIsRefusedWithTheRemedy) {
  Write(std::string(32, 'k'), 0640);
  EXPECT_THAT(SecretBox::FromKeyFile(path_).status().text(), HasSubstr("chmod 600 " + path_));
}

TEST_F(SecretBoxFile, AMissingKeyComesWithTheCommandThatMakesOne) {
  const Result<SecretBox> box = SecretBox::FromKeyFile(path_);
  EXPECT_EQ(box.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(box.status().text(), HasSubstr("openssl rand -out " + path_ + " 32"));
}

TEST_F(SecretBoxFile, AnotherSizeIsNoKey) {
  for (size_t size : {0, 31, 33, 63, 65, 200}) {
    Write(std::string(size, 'a'));
    EXPECT_THAT(SecretBox::FromKeyFile(path_).status().text(), HasSubstr("must have 32 bytes"))
        << size;
  }
  Write(std::string(64, 'g'));
  EXPECT_FALSE(SecretBox::FromKeyFile(path_).ok());
}

}  // namespace
}  // namespace relay

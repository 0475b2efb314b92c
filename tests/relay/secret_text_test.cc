#include "relay/secret_text.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace relay {
namespace {

// A file that goes with the object.
class SecretFile {
 public:
  explicit SecretFile(std::string_view content) {
    const int fd = mkstemp(path_);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    close(fd);
  }
  ~SecretFile() { unlink(path_); }
  std::string Name() const { return std::string("file:") + path_; }

 private:
  char path_[32] = "/tmp/relay-secret-XXXXXX";
};

std::string ComplaintOf(std::string_view given) {
  const Result<std::string> secret = ReadSecretText(given);
  return secret.ok() ? "read: " + *secret : secret.status().text();
}

TEST(SecretTextTest, TextIsTheSecretItself) {
  EXPECT_EQ(ReadSecretText("demo-key").value(), "demo-key");
}

TEST(SecretTextTest, FileIsReadWithoutTheNewlinesAtItsEnd) {
  const SecretFile file("line one\nline two\r\n\n");
  EXPECT_EQ(ReadSecretText(file.Name()).value(), "line one\nline two");
}

TEST(SecretTextTest, NothingIsNoSecret) {
  const SecretFile file("\n");
  EXPECT_EQ(ComplaintOf(""), "must not be empty");
  EXPECT_EQ(ComplaintOf(file.Name()), "must not be empty");
}

TEST(SecretTextTest, AFileIsNamedByAnAbsolutePathThatCanBeRead) {
  EXPECT_EQ(ComplaintOf("file:key"), "expected an absolute path: \"file:/path\"");
  EXPECT_EQ(ComplaintOf("file:/nonexistent/key"), "cannot read /nonexistent/key");
}

TEST(SecretTextTest, ASecretHasAnEnd) {
  EXPECT_EQ(ReadSecretText(std::string(kSecretBytesMax, 'x')).value().size(), kSecretBytesMax);
  EXPECT_EQ(ComplaintOf(std::string(kSecretBytesMax + 1, 'x')), "longer than 4096 bytes");
}

}  // namespace
}  // namespace relay

// The archive on a real disk: lines, files, and the thread that writes them.

#include "workers/dead_letter_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "relay/event_loop.h"
#include "relay/json_object.h"
#include "tests/support/run_until.h"
#include "workers/archive_file.h"
#include "workers/archive_thread.h"

namespace relay {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const WallTime kNoon = WallTimeFromMicros(1'767'268'800'000'000);  // 2026-01-01T12:00:00Z

ArchivedLetter LetterWith(const std::string& body) {
  ArchivedLetter letter;
  letter.endpoint = 7;
  letter.endpoint_id = "hooks";
  letter.died_ms = 1'767'268'800'000;
  letter.event.id = "0123456789abcdef0123456789abcdef";
  letter.event.source = "demo";
  letter.event.tenant = "acme";
  letter.event.type = "100";
  letter.event.ordering_key = "8888_a";
  letter.event.headers = "content-type: application/json\nx-a: 1\n";
  letter.event.body = body;
  letter.event.accepted_us = 1'767'225'600'000'000;
  letter.history = {{1'767'225'601'000, AttemptOutcome::kRejected, 500, Millis(12)}};
  return letter;
}

std::string LineOf(const ArchivedLetter& letter) {
  std::string line;
  AppendLetterLine(letter, line);
  return line;
}

TEST(DeadLetterLine, HasAllThatARestoreNeeds) {
  EXPECT_EQ(
      LineOf(LetterWith("{\"a\":\"\xc3\xa9\"}")),
      R"({"webhook_id":"0123456789abcdef0123456789abcdef","tenant":"acme","endpoint":"acme/hooks",)"
      R"("endpoint_number":7,"source":"demo","type":"100","stream":"8888_a",)"
      R"("accepted_at":"2026-01-01T00:00:00.000Z","accepted_at_us":1767225600000000,)"
      R"("died_at":"2026-01-01T12:00:00.000Z","reason":"attempts_exhausted",)"
      R"("attempts":[{"at":"2026-01-01T00:00:01.000Z","outcome":"rejected","status":500,)"
      R"("latency_ms":12}],"headers":["content-type: application/json","x-a: 1"],)"
      "\"body\":\"{\\\"a\\\":\\\"\xc3\xa9\\\"}\"}\n");
}

TEST(DeadLetterLine, ABodyThatIsNoTextStandsAsBase64) {
  const std::string line = LineOf(LetterWith(std::string("\xff\x00\x01", 3)));
  EXPECT_THAT(line, HasSubstr(R"("body_base64":"/wAB")"));
  EXPECT_EQ(line.find("\"body\":"), std::string::npos);
}

TEST(DeadLetterLine, IsJsonWhateverTheEventHolds) {
  ArchivedLetter letter = LetterWith(std::string("\0\n\"\\\x7f", 5));
  letter.endpoint_id = "";
  letter.event.type = "\xff\"";
  letter.event.headers = "x: \xfe\n";
  const std::string line = LineOf(letter);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  JsonObject object;
  ASSERT_TRUE(object.Parse(std::string_view(line).substr(0, line.size() - 1)).ok()) << line;
  EXPECT_EQ(object.Find("endpoint")->raw, "\"acme/#7\"");
  EXPECT_EQ(object.Find("type")->raw, R"("?\"")");
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    char name[] = "/tmp/archive_test.XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    above_ = name;
    folder_ = above_ + "/archive";
  }
  ~ArchiveTest() override { std::filesystem::remove_all(above_); }

  std::string File(const std::string& day) const {
    return folder_ + "/dead-letters-" + day + ".boot.jsonl.gz";
  }
  // As zcat reads it: all members one after the other, as far as they are whole.
  static std::string Unzip(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");
    if (!file) return "no file";
    std::string text;
    char piece[4096];
    for (int size = 0; (size = gzread(file, piece, sizeof(piece))) > 0;) text.append(piece, size);
    gzclose(file);
    return text;
  }

  std::string above_;
  std::string folder_;
};

TEST_F(ArchiveTest, BatchesOfADayAreOneTextInAFileForOwnerAndGroup) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  ASSERT_TRUE(file.Append("two\n", kNoon + Seconds(1)).ok());
  EXPECT_EQ(Unzip(File("2026-01-01")), "one\ntwo\n");
  struct stat found {};
  ASSERT_EQ(stat(File("2026-01-01").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777 & ~0640U, 0U);
}

TEST_F(ArchiveTest, ANewDayHasAFileOfItsOwn) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  ASSERT_TRUE(file.Append("two\n", kNoon + std::chrono::hours(12)).ok());
  EXPECT_EQ(Unzip(File("2026-01-01")), "one\n");
  EXPECT_EQ(Unzip(File("2026-01-02")), "two\n");
}

// As a power cut leaves it: whatever of the last member is missing, those before it are whole.
TEST_F(ArchiveTest, ATornEndSpoilsNothingBeforeIt) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  const auto whole = std::filesystem::file_size(File("2026-01-01"));
  ASSERT_TRUE(file.Append("two\n", kNoon).ok());
  for (auto size = std::filesystem::file_size(File("2026-01-01")) - 1; size >= whole; --size) {
    std::filesystem::resize_file(File("2026-01-01"), size);
    EXPECT_THAT(Unzip(File("2026-01-01")), StartsWith("one\n")) << size;
  }
}

TEST_F(ArchiveTest, WhatAFullDiskTookOfABatchIsCutOffAgain) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  const auto whole = std::filesystem::file_size(File("2026-01-01"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{whole + 7, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const Status status = file.Append("two\n", kNoon);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(std::filesystem::file_size(File("2026-01-01")), whole);

  ASSERT_TRUE(file.Append("three\n", kNoon).ok());
  EXPECT_EQ(Unzip(File("2026-01-01")), "one\nthree\n");
}

TEST_F(ArchiveTest, OnlyTheLastFolderOfThePathIsMade) {
  ArchiveFile deep(folder_ + "/deeper", "boot");
  EXPECT_THAT(deep.Prepare().text(), EndsWith("No such file or directory"));
  ArchiveFile file(folder_, "boot");
  EXPECT_TRUE(file.Prepare().ok());
  EXPECT_TRUE(std::filesystem::is_directory(folder_));
}

// A disk that is not mounted any more must not be replaced by the one below it.
TEST_F(ArchiveTest, AFolderThatHasGoneIsNotMadeAgain) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  std::filesystem::rename(folder_, above_ + "/elsewhere");
  EXPECT_FALSE(file.Append("two\n", kNoon).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_));
  std::filesystem::rename(above_ + "/elsewhere", folder_);
  ASSERT_TRUE(file.Append("three\n", kNoon).ok());
  EXPECT_EQ(Unzip(File("2026-01-01")), "one\nthree\n");
}

TEST_F(ArchiveTest, AFileThatWasTakenAwayIsBegunAnew) {
  ArchiveFile file(folder_, "boot");
  ASSERT_TRUE(file.Append("one\n", kNoon).ok());
  std::filesystem::rename(File("2026-01-01"), above_ + "/taken");
  ASSERT_TRUE(file.Append("two\n", kNoon).ok());
  EXPECT_EQ(Unzip(above_ + "/taken"), "one\n");
  EXPECT_EQ(Unzip(File("2026-01-01")), "two\n");
}

TEST_F(ArchiveTest, TheThreadWritesWhileTheLoopGoesOn) {
  SystemLoop loop;
  CallScope scope;
  std::optional<Status> written;
  std::optional<Status> second;
  ArchiveThread archive(loop, folder_, "boot");
  archive.Append({LetterWith("a"), LetterWith("b")}, scope,
                 [&written](const Status& status) { written = status; });
  archive.Append({LetterWith("c")}, scope, [&second](const Status& status) { second = status; });
  EXPECT_FALSE(written.has_value());  // Never from inside the call.
  ASSERT_TRUE(RunUntil(loop, [&second] { return second.has_value(); }));
  ASSERT_TRUE(written.has_value());
  EXPECT_TRUE(written->ok()) << written->text();
  const std::string day = std::filesystem::directory_iterator(folder_)->path();
  EXPECT_EQ(Unzip(day),
            LineOf(LetterWith("a")) + LineOf(LetterWith("b")) + LineOf(LetterWith("c")));
}

TEST_F(ArchiveTest, WithoutLettersTheFolderAloneIsLookedAt) {
  SystemLoop loop;
  CallScope scope;
  std::optional<Status> found;
  ArchiveThread archive(loop, folder_ + "/deeper", "boot");
  archive.Append({}, scope, [&found](const Status& status) { found = status; });
  ASSERT_TRUE(RunUntil(loop, [&found] { return found.has_value(); }));
  EXPECT_EQ(found->code(), StatusCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(ArchiveTest, WhoIsGoneIsNotCalledBack) {
  SystemLoop loop;
  std::optional<CallScope> scope(std::in_place);
  CallScope other;
  bool called = false;
  bool done = false;
  ArchiveThread archive(loop, folder_, "boot");
  archive.Append({LetterWith("a")}, *scope, [&called](const Status&) { called = true; });
  scope.reset();
  archive.Append({}, other, [&done](const Status&) { done = true; });
  ASSERT_TRUE(RunUntil(loop, [&done] { return done; }));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace relay

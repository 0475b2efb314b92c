#include "tests/chaos/disk/disk_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "tests/support/child_program.h"

namespace relay {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::UnorderedElementsAre;

constexpr const char* kGone = "(no such file)";
constexpr int kCuts = 60;

class DiskControlTest : public testing::Test {
 protected:
  DiskControlTest() {
    char name[] = "/tmp/disk_control_XXXXXX";
    EXPECT_TRUE(mkdtemp(name));
    folder_ = name;
    disk_ = std::move(DiskControl::Create(folder_ + "/disk", folder_ + "/state")).value();
  }
  ~DiskControlTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/disk/" + name; }
  // Names in the calls are those of files below the root; "." is the root.
  int Do(std::vector<std::string> words) {
    for (std::string& word : words) {
      if (word.starts_with("/")) word = path(word.substr(1));
    }
    words.insert(words.begin(), DISK_WRITER);
    return ChildProgram(words, folder_ + "/out", disk_->environment()).Wait(Seconds(20)).value();
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    if (!in) return kGone;
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  // Cuts the power once.
  void Cut() {
    const auto cut = disk_->CutPower(random_);
    ASSERT_TRUE(cut.ok()) << cut.status().text();
  }
  // What `name` holds after the power went behind these calls, over many cuts. Before each of
  // them the files are as `prepare` makes them, durable.
  std::set<std::string> Fates(
      const std::vector<std::string>& calls, const std::string& name,
      const std::function<void()>& prepare = [] {}) {
    std::set<std::string> fates;
    for (int i = 0; i < kCuts; ++i) {
      std::filesystem::remove_all(path(""));
      std::filesystem::create_directories(path(""));
      prepare();
      EXPECT_EQ(Do(calls), 0);
      Cut();
      fates.insert(Read(name));
    }
    return fates;
  }

  std::string folder_;
  std::unique_ptr<DiskControl> disk_;
  Random random_{3};
};

TEST_F(DiskControlTest, WhatIsSyncedStands) {
  const auto fates = Fates({"append", "/f", "one", "sync", "/f", "sync", "/."}, "f");
  EXPECT_THAT(fates, UnorderedElementsAre("one"));
}

TEST_F(DiskControlTest, AFileWhoseFolderIsNotSyncedMayBeGone) {
  const auto fates = Fates({"append", "/f", "one", "sync", "/f"}, "f");
  EXPECT_THAT(fates, UnorderedElementsAre("one", kGone));
}

TEST_F(DiskControlTest, OfUnsyncedBytesAnyMayBeThere) {
  const std::string more(2000, 'x');
  const auto fates = Fates({"append", "/f", more}, "f", [&] { Write("f", "old"); });
  EXPECT_THAT(fates, Contains("old"));
  EXPECT_THAT(fates, Contains("old" + more));
  bool torn = false;
  bool holed = false;
  for (const std::string& fate : fates) {
    EXPECT_TRUE(fate.starts_with("old"));
    torn = torn || (fate.size() > 3 && fate.size() < 3 + more.size());
    holed = holed || (fate.find('\0') != std::string::npos && fate.back() == 'x');
  }
  EXPECT_TRUE(torn);
  EXPECT_TRUE(holed);
}

TEST_F(DiskControlTest, WhatIsWrittenBehindASyncIsUncertainAgain) {
  const auto fates =
      Fates({"append", "/f", "one", "sync", "/f", "append", "/f", "two", "sync", "/."}, "f");
  EXPECT_THAT(fates, Contains("one"));
  EXPECT_THAT(fates, Contains("onetwo"));
  EXPECT_THAT(fates, Each(testing::StartsWith("one")));
}

TEST_F(DiskControlTest, ARenameStandsOnceItsFolderIsSynced) {
  const auto prepare = [this] {
    Write("new", "new");
    Write("f", "old");
  };
  EXPECT_THAT(Fates({"rename", "/new", "/f"}, "f", prepare), UnorderedElementsAre("old", "new"));
  EXPECT_THAT(Fates({"rename", "/new", "/f", "sync", "/."}, "f", prepare),
              UnorderedElementsAre("new"));
}

TEST_F(DiskControlTest, ARemovalMayNotHaveHappened) {
  const auto prepare = [this] { Write("f", "old"); };
  EXPECT_THAT(Fates({"unlink", "/f"}, "f", prepare), UnorderedElementsAre("old", kGone));
  EXPECT_THAT(Fates({"unlink", "/f", "sync", "/."}, "f", prepare), UnorderedElementsAre(kGone));
}

TEST_F(DiskControlTest, BytesThatWereReplacedMayBeTheOldOnes) {
  const auto prepare = [this] { Write("f", "abcdef"); };
  EXPECT_THAT(Fates({"overwrite", "/f", "2", "XY"}, "f", prepare),
              UnorderedElementsAre("abcdef", "abXYef"));
  EXPECT_THAT(Fates({"overwrite", "/f", "2", "XY", "sync", "/f"}, "f", prepare),
              UnorderedElementsAre("abXYef"));
  EXPECT_THAT(Fates({"truncate", "/f", "2"}, "f", prepare), UnorderedElementsAre("ab", "abcdef"));
  EXPECT_THAT(Fates({"truncate", "/f", "2", "sync", "/f"}, "f", prepare),
              UnorderedElementsAre("ab"));
}

TEST_F(DiskControlTest, WhatSurvivedACutStandsInTheNext) {
  EXPECT_EQ(Do({"append", "/f", "one", "sync", "/f", "sync", "/."}), 0);
  for (int i = 0; i < 5; ++i) Cut();
  EXPECT_EQ(Read("f"), "one");
}

TEST_F(DiskControlTest, AFullDiskTakesWhatFits) {
  disk_->LeaveSpace(4);
  EXPECT_EQ(Do({"append", "/f", "abcdef"}), ENOSPC);
  EXPECT_EQ(Read("f"), "abcd");
  EXPECT_EQ(Do({"append", "/f", "x"}), ENOSPC);
  disk_->LeaveSpace(-1);
  EXPECT_EQ(Do({"append", "/f", "ef"}), 0);
  EXPECT_EQ(Read("f"), "abcdef");
}

TEST_F(DiskControlTest, SyncsFailAndTakeTheirTime) {
  disk_->FailSyncs(true);
  EXPECT_EQ(Do({"append", "/f", "a", "sync", "/f"}), EIO);
  disk_->FailSyncs(false);
  disk_->SetSyncDelay(Millis(300));
  const SystemClock clock;
  const MonoTime begin = clock.Now();
  EXPECT_EQ(Do({"sync", "/f"}), 0);
  EXPECT_GE(clock.Now() - begin, Millis(300));
}

}  // namespace
}  // namespace relay

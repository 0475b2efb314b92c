#include "cli/line_log.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

class LineLogTest : public testing::Test {
 protected:
  std::string path() const { return folder_.File("log"); }
  std::string Content() const { return folder_.Content("log"); }

  TemporaryFolder folder_;
};

TEST_F(LineLogTest, LinesAreInTheFileOnceWriteReturns) {
  LineLog log = std::move(*LineLog::Open(path()));
  JsonLine(log.lines()).Text("op", "send").Number("at_us", 5);
  EXPECT_EQ(Content(), "");
  ASSERT_TRUE(log.Write().ok());
  EXPECT_EQ(Content(), "{\"op\":\"send\",\"at_us\":5}\n");
  EXPECT_TRUE(log.empty());
}

TEST_F(LineLogTest, AnExistingFileIsContinued) {
  for (int i = 0; i < 2; ++i) {
    LineLog log = std::move(*LineLog::Open(path()));
    JsonLine(log.lines()).Number("i", i);
    ASSERT_TRUE(log.Write().ok());
  }
  EXPECT_EQ(Content(), "{\"i\":0}\n{\"i\":1}\n");
}

TEST_F(LineLogTest, AFolderThatIsNotThereIsNamed) {
  const Status status = LineLog::Open(folder_.File("no/such")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.text().find("/no/such"), std::string::npos);
}

TEST_F(LineLogTest, AFullDiskIsReported) {
  LineLog log = std::move(*LineLog::Open("/dev/full"));
  log.lines() = "{}\n";
  EXPECT_FALSE(log.Write().ok());
}

TEST(JsonLineTest, ValuesAreEscaped) {
  std::string out;
  JsonLine(out).Text("a", "q\"b\\c\nd\x01").Decimal("d", 0.25);
  EXPECT_EQ(out, "{\"a\":\"q\\\"b\\\\c\\u000ad\\u0001\",\"d\":0.25}\n");
}

}  // namespace
}  // namespace relay

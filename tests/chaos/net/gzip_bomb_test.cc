#include "tests/chaos/net/gzip_bomb.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

TEST(GzipBombTest, UnpacksToMoreThanAHundredTimesItsSize) {
  constexpr size_t kUnpacked = 8 * 1024 * 1024;
  const std::string bomb = GzipBomb(kUnpacked);
  EXPECT_LT(bomb.size(), kUnpacked / 100);
  const TemporaryFolder folder;
  std::ofstream(folder.File("bomb"), std::ios::binary) << bomb;
  // gzip complains of the checksum, which is none, and has unpacked all by then.
  FILE* const counted =
      popen(("gzip -dc < " + folder.File("bomb") + " 2>/dev/null | wc -c").c_str(), "r");
  ASSERT_NE(counted, nullptr);
  char text[32] = {};
  EXPECT_NE(fgets(text, sizeof(text), counted), nullptr);
  pclose(counted);
  EXPECT_GE(std::strtoul(text, nullptr, 10), kUnpacked);
}

}  // namespace
}  // namespace relay

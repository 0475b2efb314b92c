#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace relay {

// A folder of its own for a test, gone when the test is.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "relay_cli_XXXXXX") {
    EXPECT_TRUE(mkdtemp(path_.data())) << path_;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // What stands in the file; empty when there is none.
  std::string Content(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(File(name)).rdbuf();
    return out.str();
  }

 private:
  std::string path_;
};

}  // namespace relay

#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/chaos/runner.h"

namespace relay {

// What a run has found so far, told on stdout: a line for each round that ends, and at the end a
// table of the scenarios.
class Report {
 public:
  explicit Report(SceneSize size) : size_(size) {}

  void Tell(const Round& round, const SceneResult& result, bool kept);
  void PrintTable() const;
  bool clean() const { return clean_; }

 private:
  struct Sum {
    int rounds = 0;
    SceneResult result;
  };

  const SceneSize size_;
  bool clean_ = true;
  std::map<std::string, Sum> sums_;  // By NameOf().
};

}  // namespace relay

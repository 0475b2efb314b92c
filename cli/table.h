#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"
#include "relay/units.h"

namespace relay {

// Columns for a person to read: each as wide as its widest cell, numbers to the right. Cells are
// escaped (EscapedText), so whatever a stranger has chosen is safe to print.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void Row(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string Text() const;
  // To stdout.
  void Print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "2023-11-14T22:13:20Z" (fractions allowed), or a duration that lies so far back: "2h", "30m".
Result<int64_t> ParseTime(std::string_view text, WallTime now);

}  // namespace relay

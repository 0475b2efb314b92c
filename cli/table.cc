#include "cli/table.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

#include "cli/escaped_text.h"
#include "relay/ascii.h"
#include "relay/settings.h"

namespace relay {
namespace {

bool IsNumber(const std::string& cell) {
  return !cell.empty() && std::all_of(cell.begin(), cell.end(),
                                      [](char c) { return IsDigit(c) || c == ',' || c == '-'; });
}

// Characters, not bytes: a continuation byte of UTF-8 takes no place.
size_t WidthOf(const std::string& cell) {
  return std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

void Table::Row(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = EscapedText(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  std::vector<bool> right(rows_.front().size(), rows_.size() > 1);
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], WidthOf(rows_[r][c]));
      if (r > 0 && !IsNumber(rows_[r][c])) right[c] = false;
    }
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string fill(widths[c] - WidthOf(row[c]), ' ');
      line += (c == 0 ? "" : "  ") + (right[c] ? fill + row[c] : row[c] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

void Table::Print() const {
  const std::string text = Text();
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<int64_t> ParseTime(std::string_view text, WallTime now) {
  if (Result<Millis> ago = ParseDuration(text); ago.ok()) {
    return MillisSinceEpoch(now) - ago->count();
  }
  const std::string copy(text);
  std::tm parts = {};
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  int fraction_ms = 0;
  if (rest != nullptr && *rest == '.') {
    int scale = 100;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) {
      fraction_ms += (*rest - '0') * scale;
    }
  }
  if (rest == nullptr || std::string_view(rest) != "Z") {
    return Status::InvalidArgument("\"" + copy +
                                   "\" is neither a time like 2026-01-02T03:04:05Z nor a duration "
                                   "like 2h");
  }
  return static_cast<int64_t>(timegm(&parts)) * 1000 + fraction_ms;
}

}  // namespace relay

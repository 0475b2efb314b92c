#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/json_quote.h"
#include "relay/status.h"

namespace relay {

// A file of JSON lines that must be on its way before the act that it tells of: lines are appended
// to a buffer, and Write() hands them all to the kernel with one write(2). They then survive the
// death of this process. An existing file is continued, so that a restart loses nothing.
class LineLog {
 public:
  // Keeps nothing: for runs without a log.
  LineLog() = default;
  static Result<LineLog> Open(const std::string& path);
  LineLog(LineLog&& other) noexcept;
  LineLog& operator=(LineLog&& other) noexcept;
  ~LineLog();

  bool kept() const { return fd_ >= 0; }
  // Where to append whole lines, each ended by a newline. Only for a log that is kept.
  std::string& lines() { return lines_; }
  bool empty() const { return lines_.empty(); }
  // A non-OK status means that the file lacks lines: whoever accounts by it must stop.
  Status Write();

 private:
  int fd_ = -1;
  std::string path_;
  std::string lines_;
};

// Builds one line of JSON by appending to a string: {"op":"send","seq":"r.1"} and a newline when it
// is done. Names are trusted, values are escaped where they need it.
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }
  JsonLine(const JsonLine&) = delete;
  ~JsonLine() { out_ += "}\n"; }

  JsonLine& Text(std::string_view name, std::string_view value);
  JsonLine& Number(std::string_view name, int64_t value);
  // `json` is JSON already.
  JsonLine& Raw(std::string_view name, std::string_view json);
  JsonLine& Decimal(std::string_view name, double value);

 private:
  void Name(std::string_view name);

  std::string& out_;
  bool first_ = true;
};

}  // namespace relay

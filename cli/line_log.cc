#include "cli/line_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

namespace relay {

Result<LineLog> LineLog::Open(const std::string& path) {
  LineLog log;
  log.path_ = path;
  log.fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log.fd_ < 0) {
    return Status::Unavailable("cannot open " + path + ": " + std::strerror(errno));
  }
  return log;
}

LineLog::LineLog(LineLog&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      lines_(std::move(other.lines_)) {}

LineLog& LineLog::operator=(LineLog&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(lines_, other.lines_);
  return *this;
}

LineLog::~LineLog() {
  if (fd_ >= 0) close(fd_);
}

Status LineLog::Write() {
  size_t done = 0;
  while (done < lines_.size()) {
    const ssize_t written = write(fd_, lines_.data() + done, lines_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      lines_.erase(0, done);
      return Status::Unavailable("cannot write " + path_ + ": " + std::strerror(errno));
    }
    done += static_cast<size_t>(written);
  }
  lines_.clear();
  return Status::Ok();
}

void JsonLine::Name(std::string_view name) {
  if (!std::exchange(first_, false)) out_ += ',';
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

JsonLine& JsonLine::Text(std::string_view name, std::string_view value) {
  Name(name);
  AppendJsonString(value, out_);
  return *this;
}

JsonLine& JsonLine::Number(std::string_view name, int64_t value) {
  Name(name);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out_.append(digits, end);
  return *this;
}

JsonLine& JsonLine::Raw(std::string_view name, std::string_view json) {
  Name(name);
  out_ += json;
  return *this;
}

JsonLine& JsonLine::Decimal(std::string_view name, double value) {
  Name(name);
  char digits[40];
  std::snprintf(digits, sizeof(digits), "%.6g", value);
  out_ += digits;
  return *this;
}

}  // namespace relay

#include "cli/progress.h"

#include <unistd.h>

#include <cmath>
#include <utility>

namespace relay {

namespace {

constexpr Millis kRedrawAfter(200);
// Carriage return, then the terminal's "erase to the end of the line".
constexpr char kWipe[] = "\r\x1b[K";

std::string ShortTime(int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

void WriteAll(int fd, const std::string& text) {
  // What a terminal does not take is lost: the next line says the same, only later.
  [[maybe_unused]] const ssize_t written = write(fd, text.data(), text.size());
}

}  // namespace

std::string WithThousands(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool behind_digit = i > 0 && digits[i - 1] != '-';
    if (behind_digit && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

Progress::Progress(const Clock& clock, std::string what, int64_t total)
    : Progress(clock, std::move(what), total, STDERR_FILENO, isatty(STDERR_FILENO) == 1) {}

Progress::Progress(const Clock& clock, std::string what, int64_t total, int fd, bool shown)
    : clock_(clock),
      what_(std::move(what)),
      total_(total),
      fd_(fd),
      shown_(shown),
      started_(clock.Now()),
      drawn_(started_) {}

Progress::~Progress() {
  Wipe();
}

void Progress::Wipe() {
  if (std::exchange(on_screen_, false)) WriteAll(fd_, kWipe);
}

void Progress::Update(int64_t done) {
  if (!shown_) return;
  const MonoTime now = clock_.Now();
  if (now - drawn_ < kRedrawAfter) return;
  drawn_ = now;
  on_screen_ = true;
  WriteAll(fd_, kWipe + Line(done, now));
}

std::string Progress::Line(int64_t done, MonoTime now) const {
  const double elapsed_s = std::chrono::duration<double>(now - started_).count();
  const double rate = elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
  std::string line = WithThousands(done);
  if (total_ > 0) line += " of " + WithThousands(total_);
  line += " " + what_ + " · " + WithThousands(std::llround(rate)) + "/s";
  if (total_ > done && rate > 0) {
    line += " · " + ShortTime(std::llround(static_cast<double>(total_ - done) / rate)) + " left";
  }
  return line;
}

}  // namespace relay

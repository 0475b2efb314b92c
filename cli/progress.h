#pragma once

#include <cstdint>
#include <string>

#include "relay/clock.h"

namespace relay {

// One line on stderr that says how far a long piece of work is: count, rate, time left. It is
// rewritten in place on a terminal, and in a pipe or a file nothing is written at all.
//
// `clock` outlives it. Destroying it wipes the line.
class Progress {
 public:
  // `what` is the noun counted, e.g. "callbacks"; `total` 0 when the end is not known.
  Progress(const Clock& clock, std::string what, int64_t total);
  // The same with the decision of what is a terminal taken by the caller: for tests.
  Progress(const Clock& clock, std::string what, int64_t total, int fd, bool shown);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  bool shown() const { return shown_; }
  // Cheap enough to be called for every item: it writes at most five times a second.
  void Update(int64_t done);
  // Takes the line away, so that a result can be printed in its place.
  void Wipe();

 private:
  std::string Line(int64_t done, MonoTime now) const;

  const Clock& clock_;
  const std::string what_;
  const int64_t total_;
  const int fd_;
  const bool shown_;
  const MonoTime started_;
  MonoTime drawn_;
  bool on_screen_ = false;
};

// 1234567 as "1,234,567".
std::string WithThousands(int64_t number);

}  // namespace relay

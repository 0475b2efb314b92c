#pragma once

#include <cstddef>
#include <cstdint>

#include "relay/clock.h"
#include "relay/fifo.h"

namespace relay {

// The stores of one connection that Redis has not answered, and whether there may be more.
//
// A store that is not answered within the command deadline is the worst of all outcomes: it may be
// stored and is refused, and with it the connection and all that waits on it are given up. So while
// Redis is behind (the oldest store waits for kPatience) no more may wait than it has answered in
// the last `window`, or kAlways: a newcomer then waits for about a window, however many more come
// than can be stored. While Redis keeps up nothing is refused, so that a burst is taken whole.
class StoreBacklog {
 public:
  // Several fsyncs of a slow disk.
  static constexpr Millis kPatience{100};
  // May wait whatever was answered: a broker that has just begun, or that has little to do, has not
  // seen what Redis can do. A Redis that stores less than this in a window is as good as away.
  static constexpr size_t kAlways = 128;

  explicit StoreBacklog(Micros window) : window_(window) {}

  void OnSent(MonoTime now) { sent_at_.push_back(now); }
  // The oldest is over: Redis has answered it, or nobody will.
  void OnAnswered(MonoTime now);
  void OnLost() { sent_at_.pop_front(); }

  bool full(MonoTime now) const;

 private:
  // Answers within the last window: this one's, and of the one before what still lies in it.
  double Answered(MonoTime now) const;

  Micros window_;
  Fifo<MonoTime> sent_at_;
  MonoTime begun_;  // The present window.
  int64_t answered_ = 0;
  int64_t answered_before_ = 0;
};

}  // namespace relay

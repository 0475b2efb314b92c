#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "relay/check.h"

namespace relay {

// A queue in one block of memory that grows to the most that ever waited and is then used round and
// round. A std::deque allocates and frees a block for every few elements that pass through it.
template <typename T>
class Fifo {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // The oldest. Requires: not empty.
  const T& front() const {
    RELAY_CHECK(size_ > 0);
    return slots_[first_];
  }
  void push_back(T value) {
    if (size_ == slots_.size()) Grow();
    slots_[(first_ + size_) % slots_.size()] = std::move(value);
    ++size_;
  }
  // Takes the oldest out; its place holds nothing of it any more. Requires: not empty.
  T pop_front() {
    RELAY_CHECK(size_ > 0);
    T oldest = std::exchange(slots_[first_], T());
    first_ = (first_ + 1) % slots_.size();
    --size_;
    return oldest;
  }

 private:
  void Grow() {
    constexpr size_t kSlotsFirst = 16;
    std::vector<T> wider(slots_.empty() ? kSlotsFirst : 2 * slots_.size());
    for (size_t i = 0; i < size_; ++i) {
      wider[i] = std::move(slots_[(first_ + i) % slots_.size()]);
    }
    slots_ = std::move(wider);
    first_ = 0;
  }

  std::vector<T> slots_;  // Those that are free hold a T().
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace relay

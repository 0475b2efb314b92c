#include "relay/fifo.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "relay/random.h"

namespace relay {
namespace {

TEST(FifoTest, GivesBackInTheOrderOfTakingHoweverItGrows) {
  Random random(7);
  Fifo<int> fifo;
  std::deque<int> model;
  for (int i = 0; i < 10'000; ++i) {
    // Longer and longer first, then shorter and shorter.
    if (random.Below(10) < (i < 5000 ? 6u : 4u) || model.empty()) {
      fifo.push_back(i);
      model.push_back(i);
    } else {
      ASSERT_EQ(fifo.front(), model.front());
      ASSERT_EQ(fifo.pop_front(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
  }
}

TEST(FifoTest, KeepsNothingOfWhatWasTakenOut) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto held = std::make_shared<int>(1);
  fifo.push_back(held);
  fifo.pop_front();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(FifoTest, AFifoThatWasMovedFromIsEmpty) {
  Fifo<int> fifo;
  for (int i = 0; i < 20; ++i) fifo.push_back(i);
  Fifo<int> other = std::exchange(fifo, {});
  EXPECT_TRUE(fifo.empty());
  EXPECT_EQ(other.size(), 20u);
  fifo.push_back(7);
  EXPECT_EQ(fifo.pop_front(), 7);
}

}  // namespace
}  // namespace relay

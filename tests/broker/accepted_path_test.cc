#include "bench/micro/accepted_path.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

// What a callback costs in memory must not grow unnoticed: at tens of thousands a second each
// allocation is seen, and a heap that is always in use falls to pieces over the weeks.
void ExpectNoAllocations(AcceptedPath::Load load) {
  constexpr int kRounds = 200;
  AcceptedPath path(load);
  // Each connection sends each of the callbacks that there are, so that every buffer has grown.
  for (int i = 0; i < kRounds; ++i) path.Round();
  AllocationCount made;
  for (int i = 0; i < kRounds; ++i) made += path.Round().allocations;
  EXPECT_EQ(made.ours, 0);
  if (made.ours > 0) path.TraceRound();
}

TEST(AcceptedPathTest, AllocatesNothingOnceItsBuffersHaveGrown) {
  ExpectNoAllocations({.connections = 8});
}

TEST(AcceptedPathTest, AllocatesNothingForLargeBodiesEither) {
  ExpectNoAllocations({.connections = 4, .body_bytes = 100'000});
}

}  // namespace
}  // namespace relay

// Does the harness see faults? Each spoilt script must be caught.

#include <gtest/gtest.h>

#include "tests/crash/world.h"

namespace relay {
namespace {

class SpoiltTest : public testing::TestWithParam<Spoil> {};

TEST_P(SpoiltTest, IsCaught) {
  const Spoil spoil = GetParam();
  // A fault of order shows only when scripts fail half way, one of substance without that. Such
  // half-way failures keep the books from being exact, so both are tried in turn. Leases run by the
  // real clock, so a seed does not catch the same fault every time: there are enough of them that
  // missing one in all is out of the question, and the first that catches it ends the search.
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CrashPlan plan;
    plan.seed = seed;
    plan.always = false;
    plan.fail_share = seed % 2 == 0 ? 0.15 : 0;
    plan.spoil = &spoil;
    if (!CrashWorld(plan).Run().breaches.empty()) return;
  }
  ADD_FAILURE() << "nobody noticed: " << spoil.name;
}

INSTANTIATE_TEST_SUITE_P(Each, SpoiltTest, testing::ValuesIn(Spoils()), [](const auto& info) {
  std::string name = info.param.script + "_" + std::to_string(info.index);
  return name;
});

}  // namespace
}  // namespace relay

#pragma once

#include <cstdint>

namespace relay {

// The test of the tests: plays, for each planted defect (or for `only` one), the scenario that is
// expected to catch it, a few times if need be, and then the others until one does. Prints which
// scenario caught which; returns the exit code: 1 when a defect went unseen.
int HuntDefects(uint64_t seed, int jobs, int only);

}  // namespace relay

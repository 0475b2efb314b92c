#pragma once

#include <cstdint>
#include <string>

namespace relay {

// The only source of jitter and of ids: a seeded generator that is passed in, so that a test
// replays. The generator is xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded through splitmix64.
// Not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed);
  // Seeded from the kernel (getrandom), for programs.
  static Random FromSystem();

  uint64_t Next();
  // Uniform in [0, bound). Requires: bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
  // `digits` lower-case hexadecimal digits.
  std::string Hex(int digits);

 private:
  uint64_t state_[4];
};

}  // namespace relay

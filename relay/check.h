#pragma once

#include <cstdio>
#include <cstdlib>

namespace relay {

[[noreturn]] inline void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace relay

// A broken invariant of ours stops the process, in release builds too. Stopping is safe: whatever
// was accepted is in Redis, and the next owner finds it there. Never used on what a peer sent.
#define RELAY_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::relay::CheckFailed(#condition, __FILE__, __LINE__))

// Loaded in front of a program (LD_PRELOAD), it moves the program's wall clock by as much as a
// shared file says at that moment. Monotonic clocks go on as they should, as those of a machine do
// whose wall clock is set. libfaketime does the same, but not under redis-server: its start asks
// for memory, jemalloc's start asks for the time, and neither gets to its end.
//
// Nothing here allocates or takes a lock, so it may be called at any time, by allocators too.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// Null: the file could not be mapped, and the clock is the machine's.
const std::atomic<int64_t>* Map() {
  const char* const path = getenv("RELAY_CLOCK_FILE");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return nullptr;
  void* const mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<const std::atomic<int64_t>*>(mapped);
}

// The programs do not ask for the time before the dynamic linker has initialised this library,
// other libraries may: they get the machine's.
const std::atomic<int64_t>* off_ns = nullptr;
__attribute__((constructor)) void Initialise() {
  off_ns = Map();
}

bool IsWallClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int Tell(clockid_t clock, timespec* at) {
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, at));
  if (result != 0 || !off_ns || !IsWallClock(clock)) return result;
  const int64_t ns =
      at->tv_sec * kNanosPerSecond + at->tv_nsec + off_ns->load(std::memory_order_relaxed);
  at->tv_sec = ns / kNanosPerSecond;
  at->tv_nsec = ns % kNanosPerSecond;
  return 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* at) noexcept {
  return Tell(clock, at);
}

int gettimeofday(timeval* at, void*) noexcept {
  timespec precise{};
  Tell(CLOCK_REALTIME, &precise);
  *at = {precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* at) noexcept {
  timespec precise{};
  Tell(CLOCK_REALTIME, &precise);
  if (at) *at = precise.tv_sec;
  return precise.tv_sec;
}

}  // extern "C"

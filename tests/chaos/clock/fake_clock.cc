#include "tests/chaos/clock/fake_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/child_program.h"

namespace relay {

namespace {

constexpr Millis kDay = Seconds(86'400);
constexpr int64_t kTolerance_s = 60;

}  // namespace

FakeClock::FakeClock(Scene& scene, const std::string& name)
    : path_(scene.folder() + "/" + name + ".clock") {
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(int64_t)) != 0) scene.Abandon("cannot write " + path_);
  void* const mapped = mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) scene.Abandon("cannot map " + path_);
  off_ns_ = static_cast<std::atomic<int64_t>*>(mapped);
  MoveTo(kDay);
  const int64_t expected_s =
      WallMicros() / 1'000'000 + std::chrono::duration_cast<Seconds>(kDay).count();
  if (Told() < expected_s - kTolerance_s) scene.Abandon("the clock shim moves no clock");
  MoveTo(Millis(0));
}

FakeClock::~FakeClock() {
  munmap(off_ns_, sizeof(int64_t));
}

std::vector<std::string> FakeClock::environment() const {
  return {"LD_PRELOAD=" RELAY_CLOCK_SHIM, "RELAY_CLOCK_FILE=" + path_};
}

void FakeClock::MoveTo(Millis off) {
  off_ns_->store(std::chrono::nanoseconds(off).count(), std::memory_order_relaxed);
}

int64_t FakeClock::Told() const {
  ChildProgram date({"date", "+%s"}, path_ + ".date", environment());
  date.Wait(Seconds(10));
  return std::strtoll(date.Output().c_str(), nullptr, 10);
}

}  // namespace relay

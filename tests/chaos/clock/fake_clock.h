#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "tests/chaos/scene.h"

namespace relay {

// The wall clock of one program, moved while it runs. Its monotonic clock goes on as it should.
class FakeClock {
 public:
  // Ends the round when it does not work.
  FakeClock(Scene& scene, const std::string& name);
  ~FakeClock();
  FakeClock(const FakeClock&) = delete;

  // For the program whose clock this is.
  std::vector<std::string> environment() const;
  // How far it is off from now on.
  void MoveTo(Millis off);

 private:
  // What a program with this clock takes the time for, in seconds.
  int64_t Told() const;

  const std::string path_;
  std::atomic<int64_t>* off_ns_ = nullptr;  // In the file that the shim maps as well.
};

}  // namespace relay

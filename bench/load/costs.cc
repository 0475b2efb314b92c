// What an event costs beside time: system calls and commands to Redis.

#include <csignal>
#include <sstream>
#include <string>

#include "bench/load/bench_options.h"
#include "bench/load/measurement.h"
#include "bench/load/receivers.h"
#include "bench/load/redis_view.h"

namespace relay {

namespace {

constexpr int64_t kEvents = 20000;
constexpr int kFanOut = 3;
constexpr Millis kPatience{20000};

// Follows a running program with strace, which makes it slow but does not change what it calls.
class SystemCalls {
 public:
  SystemCalls(Scene& scene, pid_t pid, const std::string& name)
      : scene_(scene),
        name_(name),
        strace_({"strace", "-c", "-f", "-p", std::to_string(pid)},
                scene.folder() + "/strace-" + name + ".out") {
    if (!strace_.WaitForOutput("attached", kPatience)) {
      scene_.Abandon("strace does not follow: " + strace_.Output());
    }
  }

  // Puts every call that matters among the figures, as calls of 1,000 events.
  void Conclude() {
    strace_.Signal(SIGINT);
    strace_.Wait(kPatience);
    // "% time  seconds  usecs/call  calls  errors  syscall", of which errors may be absent.
    std::istringstream lines(strace_.Output());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      double share = 0;
      double seconds = 0;
      int64_t each = 0;
      int64_t calls = 0;
      if (!(fields >> share >> seconds >> each >> calls)) continue;
      const std::string call = line.substr(line.rfind(' ') + 1);
      const int64_t of_thousand = calls * 1000 / kEvents;
      if (of_thousand > 0) scene_.Worst(name_ + "_" + call, of_thousand);
    }
  }

 private:
  Scene& scene_;
  const std::string name_;
  ChildProgram strace_;
};

void TakeRedisCalls(Scene& scene, const std::map<std::string, int64_t>& before,
                    const std::map<std::string, int64_t>& after) {
  for (const auto& [command, calls] : after) {
    const auto at = before.find(command);
    const int64_t more = calls - (at == before.end() ? 0 : at->second);
    const int64_t of_thousand = more * 1000 / kEvents;
    if (of_thousand > 0) scene.Worst("redis_" + command, of_thousand);
  }
}

// Both programs at work at once, as in ordinary operation.
void MeasureCalls(Scene& scene) {
  Nginx receivers(scene, {.ports = kFanOut});
  Installation relay(scene, BenchOptions());
  relay.Apply(EndpointsAt(receivers, kFanOut, /*tls=*/false));
  relay.StartBroker("broker");
  relay.StartWorker("worker");
  RedisView view(scene, relay.redis());
  const auto before = view.Calls();
  SystemCalls broker(scene, relay.program("broker").pid(), "broker");
  SystemCalls worker(scene, relay.program("worker").pid(), "worker");
  Preload(relay, kEvents);
  broker.Conclude();
  ExpectDelivered(relay, receivers, kEvents * kFanOut, /*failing=*/false);
  worker.Conclude();
  TakeRedisCalls(scene, before, view.Calls());
}

}  // namespace

std::vector<Measurement> CostMeasurements() {
  return {{"calls", "per 1,000 events", "relay everysec", &MeasureCalls}};
}

}  // namespace relay

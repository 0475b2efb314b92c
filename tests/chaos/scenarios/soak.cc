// Half of what the relay can do, for long, with a fault now and then: memory and descriptors must
// stay where they are. CHAOS_SOAK_MINUTES sets the time of the long size (120).

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/process_facts.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int kMinutes = 120;
// A slope over less says more about the allocator's first minutes than about leaks.
constexpr double kSlopeSecondsLeast = 20 * 60;
constexpr int64_t kSlopeKibPerHourMost = 1024;
// Whatever the slope: what a process may come to have beyond its first quarter.
constexpr int64_t kGrowthKibMost = 16 * 1024;
constexpr int kEndpoints = 3;
constexpr int kInFlightMax = 100;  // Of each endpoint, and so its connections that are kept.
constexpr int kDescriptorsPerHourMost = 16;

struct Sample {
  double at_s = 0;
  int64_t resident_kib = 0;
  int descriptors = 0;
};

// One of the programs that no fault of this scenario ends.
struct Watched {
  std::string name;
  pid_t pid = 0;
  std::vector<Sample> samples;

  // Without the first quarter, in which pools and caches fill.
  std::vector<Sample> Settled() const {
    const auto skipped = static_cast<std::ptrdiff_t>(samples.size() / 4);
    return {samples.begin() + skipped, samples.end()};
  }
};

Seconds TimeOf(const Scene& scene) {
  const char* const minutes = std::getenv("CHAOS_SOAK_MINUTES");
  const int long_minutes = minutes ? std::max(1, std::atoi(minutes)) : kMinutes;
  return scene.Sized(Seconds(12), Seconds(long_minutes * 60));
}

// By least squares.
template <typename Number>
int64_t GrowthPerHour(const std::vector<Sample>& samples, Number Sample::*number) {
  const auto count = static_cast<double>(samples.size());
  double mean_s = 0;
  double mean = 0;
  for (const Sample& sample : samples) {
    mean_s += sample.at_s / count;
    mean += static_cast<double>(sample.*number) / count;
  }
  double above = 0;
  double below = 0;
  for (const Sample& sample : samples) {
    above += (sample.at_s - mean_s) * (static_cast<double>(sample.*number) - mean);
    below += (sample.at_s - mean_s) * (sample.at_s - mean_s);
  }
  return below > 0 ? static_cast<int64_t>(above / below * 3600) : 0;
}

void JudgeSlopes(Scene& scene, const Watched& watched) {
  const int64_t kib = GrowthPerHour(watched.Settled(), &Sample::resident_kib);
  scene.Worst("kib_per_h_" + watched.name, kib);
  scene.Expect(kib < kSlopeKibPerHourMost,
               watched.name + " grows by " + std::to_string(kib) + " KiB an hour");
  const int64_t descriptors = GrowthPerHour(watched.Settled(), &Sample::descriptors);
  scene.Worst("descriptors_per_h_" + watched.name, descriptors);
  scene.Expect(descriptors < kDescriptorsPerHourMost,
               watched.name + " has " + std::to_string(descriptors) + " descriptors more an hour");
}

void Judge(Scene& scene, const Watched& watched) {
  const std::vector<Sample> samples = watched.Settled();
  if (samples.size() < 2) return scene.Expect(false, "no samples of " + watched.name);
  if (samples.back().at_s - samples.front().at_s >= kSlopeSecondsLeast) {
    JudgeSlopes(scene, watched);
  }
  const auto by_memory = [](const Sample& a, const Sample& b) {
    return a.resident_kib < b.resident_kib;
  };
  const int64_t most = std::max_element(samples.begin(), samples.end(), by_memory)->resident_kib;
  scene.Worst("resident_kib_" + watched.name, most);
  scene.Expect(most - samples.front().resident_kib < kGrowthKibMost,
               watched.name + " has grown to " + std::to_string(most) + " KiB");
  const int more = samples.back().descriptors - samples.front().descriptors;
  scene.Expect(more <= kEndpoints * kInFlightMax,
               watched.name + " has " + std::to_string(more) + " descriptors more");
}

// A fault that ends none of the watched.
void Hurt(Installation& relay) {
  Scene& scene = relay.scene();
  const int64_t from_us = WallMicros();
  const auto freeze = [&](ChildProgram& program) {
    program.Signal(SIGSTOP);
    Pass(scene.Between(Millis(200), Millis(2000)));
    program.Signal(SIGCONT);
  };
  const auto kill = [&](const char* name) {
    relay.Kill(name);
    relay.StartAgain(name);
    relay.AwaitReady(name);
  };
  switch (scene.random().Below(6)) {
    case 0:
      freeze(relay.program("broker-1"));
      return scene.LogFault("freeze", "broker-1", from_us, WallMicros());
    case 1:
      freeze(relay.program("worker-1"));
      return scene.LogFault("freeze", "worker-1", from_us, WallMicros());
    case 2:
      kill("broker-2");
      return scene.LogFault("kill", "broker-2", from_us, WallMicros());
    case 3:
      kill("worker-2");
      return scene.LogFault("kill", "worker-2", from_us, WallMicros());
    case 4:
      relay.redis().Freeze();
      Pass(scene.Between(Millis(200), Millis(3000)));
      relay.redis().Thaw();
      return scene.LogFault("freeze", "redis", from_us, WallMicros());
    default:
      relay.redis().Kill9();
      relay.StartRedis();
      return scene.LogFault("kill", "redis", from_us, WallMicros());
  }
}

}  // namespace

void PlaySoak(Scene& scene) {
  Installation::Options options;
  // What is given back wrongly is gone the sooner.
  options.credit = 100;
  options.maxmemory = "2gb";
  Installation relay(scene, options);
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b", "c"}) {
    endpoints.push_back({name, relay.StartSink(name, {"--fail", "0.02"}),
                         "in_flight_max = " + std::to_string(kInFlightMax) + "\n" +
                             Installation::EndpointOf(name)});
  }
  relay.Apply(endpoints);
  for (const char* name : {"broker-1", "broker-2"}) relay.StartBroker(name);
  for (const char* name : {"worker-1", "worker-2"}) relay.StartWorker(name);
  std::vector<Watched> all = {{"broker-1", relay.program("broker-1").pid(), {}},
                              {"worker-1", relay.program("worker-1").pid(), {}}};

  const Seconds time = TimeOf(scene);
  const Seconds sample_every = scene.Sized(Seconds(1), Seconds(10));
  const Seconds fault_every = scene.Sized(Seconds(5), Seconds(30));
  auto load = relay.Load({"--rate", scene.Sized("800", "600"), "--duration",
                          std::to_string(time.count()) + "s", "--retry", "--connections", "32",
                          "--streams", "500"});
  const SystemClock clock;
  const MonoTime begin = clock.Now();
  MonoTime next_fault = begin + fault_every;
  while (load->running()) {
    Pass(sample_every);
    const MonoTime now = clock.Now();
    for (Watched& watched : all) {
      watched.samples.push_back({std::chrono::duration<double>(now - begin).count(),
                                 relay.program(watched.name).resident_kib(),
                                 DescriptorsOf(watched.pid)});
    }
    if (now < next_fault || now > begin + time) continue;
    Hurt(relay);
    next_fault = now + fault_every;
  }
  relay.AwaitLoad(*load, Seconds(60));
  for (const Watched& watched : all) {
    scene.Expect(
        relay.program(watched.name).pid() == watched.pid && relay.program(watched.name).running(),
        watched.name + " has ended");
    Judge(scene, watched);
  }
  CloseBooks(relay);
}

}  // namespace relay

// The wall clock of one program is set: by hours and days under a worker and a broker, by a second
// back and forth under Redis. What is due is due by Redis's clock, and everything that waits goes
// by monotonic ones.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/clock/fake_clock.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr Millis kHour = Seconds(3600);
constexpr Millis kDay = Seconds(86'400);
// What it takes until something is seen to be stuck; every retry is due within a second.
constexpr Millis kStuck{8000};

// Receivers that look at no timestamp: one that is an hour off is refused, and rightly so.
void ApplyUnsigned(Installation& relay) {
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b", "c"}) {
    endpoints.push_back(
        {name, relay.StartSink(name, {"--fail", "0.1"}),
         "in_flight_max = 100\nsigning = { scheme = \"none\" }\n" + Installation::RetryOften()});
  }
  relay.Apply(endpoints);
}

void Jump(Scene& scene, FakeClock& clock, const std::string& whose, Millis off, Millis time) {
  const int64_t from_us = WallMicros();
  clock.MoveTo(off);
  Pass(time);
  scene.LogFault("clock", whose, from_us, WallMicros());
  scene.Count("clock_jumps", 1);
}

std::unique_ptr<ChildProgram> StartLoad(Installation& relay) {
  return relay.Load({"--rate", "500", "--duration", relay.scene().Sized("9s", "25s"), "--retry",
                     "--connections", "16", "--streams", "50"});
}

void CloseAll(Installation& relay, ChildProgram& load, bool early_retries) {
  relay.AwaitLoad(load, Seconds(60));
  relay.ExpectAllRunning();
  BookRules rules;
  rules.stuck = kStuck;
  rules.early_retries = early_retries;
  CloseBooks(relay, rules);
}

}  // namespace

void PlayClockJumps(Scene& scene) {
  FakeClock worker(scene, "worker-1");
  FakeClock broker(scene, "broker-1");
  Installation relay(scene);
  ApplyUnsigned(relay);
  relay.StartBroker("broker-1", {.wrapper = {}, .environment = broker.environment()});
  relay.StartWorker("worker-1", {.wrapper = {}, .environment = worker.environment()});
  auto load = StartLoad(relay);
  Pass(scene.Between(Millis(500), Millis(1000)));
  const int times = scene.Sized(1, 3);
  for (int i = 0; i < times; ++i) {
    for (const Millis off : {kHour, -kHour, kDay, -kDay}) {
      Jump(scene, worker, "worker-1", off, scene.Between(Millis(600), Millis(1000)));
    }
    // Back by a second is what a clock does that is put right.
    Jump(scene, worker, "worker-1", Millis(-1000), Millis(300));
    // Within the grace of the callbacks' own time, then so far off that each is refused or all are
    // taken; the provider sends again what was refused.
    for (const Millis off : {Millis(Seconds(300)), -kHour, kHour, -kDay}) {
      Jump(scene, broker, "broker-1", off, scene.Between(Millis(400), Millis(700)));
    }
    Jump(scene, broker, "broker-1", Millis(0), Millis(500));
  }
  // The worker's clock stays wrong to the end: nothing may wait for it to be put right.
  Jump(scene, worker, "worker-1", -kHour, Millis(0));
  CloseAll(relay, *load, /*early_retries=*/false);
}

void PlayClockJumpsOfRedis(Scene& scene) {
  FakeClock clock(scene, "redis");
  Installation::Options options;
  options.redis.environment = clock.environment();
  Installation relay(scene, options);
  ApplyUnsigned(relay);
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  relay.StartWorker("worker-2");
  auto load = StartLoad(relay);
  Pass(scene.Between(Millis(500), Millis(1000)));
  const int64_t from_us = WallMicros();
  // Ten times a second a second back or forth, then ten steps of a second back.
  const int shakes = scene.Sized(30, 100);
  for (int i = 0; i < shakes; ++i) {
    clock.MoveTo(scene.Between(Millis(-1000), Millis(1000)));
    Pass(Millis(100));
  }
  constexpr int kSteps = 10;
  for (int i = 1; i <= kSteps; ++i) {
    clock.MoveTo(Millis(-1000 * i));
    Pass(scene.Between(Millis(100), Millis(300)));
  }
  scene.LogFault("clock", "redis", from_us, WallMicros());
  scene.Count("clock_jumps", shakes + kSteps);
  // By the receivers' clock a retry may come as much too early as Redis's went ahead.
  CloseAll(relay, *load, /*early_retries=*/true);
}

}  // namespace relay

// A worker is frozen past its lease, another takes its partitions, and the first one wakes in the
// belief that they are its own.

#include <csignal>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

// Longer than the lease of 5 s and the next owner's look.
constexpr Millis kFreezeLeast{6000};
constexpr Millis kFreezeMost{7000};
// How long nothing may move: longer than a partition's lease and than those of retries, below.
constexpr Millis kStuck{14000};

void FreezeOne(Installation& relay, const std::string& name) {
  Scene& scene = relay.scene();
  const int64_t from_us = WallMicros();
  const int received = relay.Received("a");
  relay.program(name).Signal(SIGSTOP);
  Pass(scene.Between(kFreezeLeast, kFreezeMost));
  scene.Expect(relay.Received("a") > received, "nobody took over from " + name);
  relay.program(name).Signal(SIGCONT);
  scene.LogFault("freeze", name, from_us, WallMicros());
}

}  // namespace

void PlayFrozenOwner(Scene& scene) {
  Installation relay(scene);
  // Slow enough that a frozen worker always has attempts under way and entries unsettled.
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b"}) {
    endpoints.push_back({name, relay.StartSink(name, {"--delay", "60ms", "--fail", "0.05"}),
                         Installation::EndpointOf(name) + "timeout = \"2s\"\nin_flight_max = 60"});
  }
  relay.Apply(endpoints);
  relay.StartBroker("broker-1");
  for (const char* name : {"worker-1", "worker-2"}) {
    // A retry that a sleeper had taken is due again as soon as its lease is over.
    relay.StartWorker(name, {{}, {"RELAY_WORKER_LEASE_MARGIN=1s"}});
  }
  auto load = relay.Load({"--rate", "500", "--duration", scene.Sized("10s", "30s"), "--retry",
                          "--connections", "16", "--streams", "50"});
  const int freezes = scene.Sized(1, 4);
  for (int i = 0; i < freezes; ++i) {
    Pass(scene.Between(Millis(700), Millis(1500)));
    FreezeOne(relay, i % 2 == 0 ? "worker-1" : "worker-2");
  }
  relay.AwaitLoad(*load, Seconds(60));
  relay.ExpectAllRunning();
  BookRules rules;
  rules.stuck = kStuck;
  CloseBooks(relay, rules);
}

}  // namespace relay

// What Redis answers is garbled: errors about commands that took effect and about such that did
// not, values of the wrong type, noise, replies cut, late or swallowed. None of it may be taken for
// a yes or stop a program.

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/net/fault_proxy.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

using Proxies = std::map<std::string, std::unique_ptr<FaultProxy>>;  // By program.

// Often enough for hundreds in a round; seldom enough for a partition to be taken, which needs
// several good replies in a row.
constexpr double kShare = 0.02;
constexpr int64_t kGarbledLeast = 100;
constexpr int kReceivedLeast = 100;

ProgramOptions BehindProxy(Installation& relay, Proxies& proxies, const std::string& name) {
  FaultProxy::Options options;
  options.upstream = relay.redis().address();
  options.seed = relay.scene().random().Next();
  options.redis = true;
  auto started = FaultProxy::Start(options);
  if (!started.ok()) relay.scene().Abandon("no proxy: " + started.status().text());
  proxies[name] = *std::move(started);
  ProgramOptions program;
  program.environment = {"RELAY_REDIS_NODES=redis://" + proxies[name]->address()};
  return program;
}

void GarbleFor(Installation& relay, Proxies& proxies, Millis time) {
  const int64_t from_us = WallMicros();
  for (const auto& [name, proxy] : proxies) proxy->Garble(kShare);
  Pass(time);
  relay.scene().Expect(relay.Received("a") > kReceivedLeast,
                       "hardly anything is delivered while replies are garbled");
  for (const auto& [name, proxy] : proxies) proxy->Heal();
  relay.scene().LogFault("garbled replies", "redis", from_us, WallMicros());
}

void CountGarbled(Scene& scene, const Proxies& proxies) {
  int64_t sum = 0;
  for (const auto& [name, proxy] : proxies) {
    for (const auto& [kind, count] : proxy->counts().garbled) {
      scene.Count("garbled_" + kind, count);
      sum += count;
    }
  }
  scene.Count("garbled_replies", sum);
  scene.Expect(sum >= kGarbledLeast, "only " + std::to_string(sum) + " replies were garbled");
}

}  // namespace

void PlayGarble(Scene& scene) {
  Installation relay(scene);
  // A retry whose taking was not heard of rests until its lease is over, which follows the timeout.
  relay.StartSinksAndApply({"a", "b"}, "in_flight_max = 100\ntimeout = \"2s\"");
  Proxies proxies;
  relay.StartBroker("broker-1", BehindProxy(relay, proxies, "broker-1"));
  for (const char* name : {"worker-1", "worker-2"}) {
    relay.StartWorker(name, BehindProxy(relay, proxies, name));
  }
  auto load = relay.Load(
      {"--rate", "700", "--duration", "600s", "--retry", "--connections", "24", "--streams", "50"});
  GarbleFor(relay, proxies, scene.Sized(Seconds(9), Seconds(40)));
  load->Signal(SIGTERM);
  relay.AwaitLoad(*load, Seconds(20));
  relay.ExpectAllRunning();
  for (const std::string& name : relay.programs()) relay.AwaitReady(name);
  CountGarbled(scene, proxies);
  CloseBooks(relay);
}

}  // namespace relay

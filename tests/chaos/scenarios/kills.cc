// Kills whatever runs, again and again, under load. A program that was killed is started again at
// once, as a service manager would.

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int kInFlightMax = 100;
// How long nothing may move: longer than a partition's lease and than those of retries, below.
constexpr Millis kStuck{14000};

// Work of every kind, for a kill to catch half done: deliveries that are over at once, that come
// again, that take their time, and that are owed of some events only.
std::vector<ChaosEndpoint> StartReceivers(Installation& relay) {
  struct Receiver {
    const char* name;
    std::vector<std::string> behaviour;
    const char* more;
  };
  const Receiver receivers[] = {{"quick", {}, ""},
                                {"failing", {"--fail", "0.1"}, ""},
                                {"slow", {"--delay", "30ms"}, ""},
                                {"some", {}, "pattern = '{\"event_type\":[1]}'\n"}};
  std::vector<ChaosEndpoint> endpoints;
  for (const Receiver& receiver : receivers) {
    endpoints.push_back({receiver.name, relay.StartSink(receiver.name, receiver.behaviour),
                         receiver.more + Installation::EndpointOf(receiver.name) +
                             "timeout = \"2s\"\nin_flight_max = " + std::to_string(kInFlightMax)});
  }
  relay.Apply(endpoints);
  return endpoints;
}

// Whose turn it is, in an order that the seed gives. Where Redis dies, two workers are spared: what
// they overlook when they come back to it stays overlooked, for nobody adopts their partitions.
std::vector<std::string> Victims(Scene& scene, bool redis_too) {
  std::vector<std::string> victims;
  const auto add = [&victims](const char* name, int times) {
    victims.insert(victims.end(), static_cast<size_t>(times), name);
  };
  for (const char* name : {"broker-1", "broker-2"}) add(name, redis_too ? 2 : 4);
  add("worker-1", redis_too ? 6 : 4);
  add("worker-2", redis_too ? 0 : 4);
  add("worker-3", redis_too ? 0 : 4);
  if (redis_too) add("redis", 10);
  for (size_t left = victims.size(); left > 1; --left) {
    std::swap(victims[left - 1], victims[scene.random().Below(left)]);
  }
  return victims;
}

void Kill(Installation& relay, const std::string& victim) {
  const int64_t from_us = WallMicros();
  if (victim == "redis") {
    relay.redis().Kill9();
    relay.StartRedis();
    // A kill that meets nobody at work is none.
    for (const std::string& name : relay.programs()) relay.AwaitReady(name);
  } else {
    relay.scene().Expect(relay.program(victim).running(),
                         victim + " has ended by itself: " + relay.Output(victim));
    relay.Kill(victim);
    relay.StartAgain(victim);
    relay.AwaitReady(victim);
  }
  relay.scene().LogFault("kill", victim, from_us, WallMicros());
  relay.scene().Count("kills", 1);
}

// How many workers' work is interrupted: when Redis dies, that of all.
int Interruptions(const std::vector<std::string>& victims) {
  int workers = 0;
  for (const std::string& victim : victims) {
    workers += victim == "redis" ? 3 : victim.starts_with("worker") ? 1 : 0;
  }
  return workers;
}

}  // namespace

void PlayKills(Scene& scene) {
  Installation::Options options;
  options.credit = 100;
  // With everysec only our own programs are killed: what Redis loses then is another scenario.
  const bool everysec = scene.round() % 2 == 1;
  if (everysec) options.durability = "everysec";
  Installation relay(scene, options);
  const std::vector<ChaosEndpoint> endpoints = StartReceivers(relay);
  for (const char* name : {"broker-1", "broker-2"}) relay.StartBroker(name);
  for (const char* name : {"worker-1", "worker-2", "worker-3"}) {
    // A retry that dies with its worker is due again as soon as its lease is over.
    relay.StartWorker(name, {{}, {"RELAY_WORKER_LEASE_MARGIN=1s"}});
  }

  auto load = relay.Load({"--rate", scene.Sized("1000", "2200"), "--duration", "10m", "--retry",
                          "--connections", "32", "--streams", "50", "--duplicate", "0.05"});
  // While nothing has failed yet, nothing has an excuse.
  Pass(Seconds(1));
  GlanceAtBooks(relay);
  const std::vector<std::string> victims = Victims(scene, !everysec);
  for (const std::string& victim : victims) {
    Pass(scene.Between(Millis(50), Millis(scene.Sized(300, 900))));
    Kill(relay, victim);
  }
  // For as long as anything is killed, and until what came of the last kill shows.
  Pass(Seconds(1));
  load->Signal(SIGINT);
  relay.AwaitLoad(*load, Seconds(60));

  BookRules rules;
  rules.stuck = kStuck;
  // Of a worker that dies at most what it held is delivered again.
  rules.duplicates_max = int64_t{Interruptions(victims)} * (options.credit + kInFlightMax) *
                         static_cast<int64_t>(endpoints.size());
  const Account account = CloseBooks(relay, rules);
  if (account.Has("recover_ms_max")) {
    scene.Worst("recover_ms_max", account.Number("recover_ms_max"));
  }
}

}  // namespace relay

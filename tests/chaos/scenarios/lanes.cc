// What endpoints ask for must hold for all workers together, whoever of them dies, joins or leaves,
// and whatever becomes of the Redis that they agree in: no more requests at once than an endpoint
// takes, no more a second, and one that is down is tried now and then.

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/account_lines.h"
#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int kCap = 4;
constexpr int64_t kAnswerUs = 100'000;
constexpr int kRate = 60;
constexpr int kBurst = 10;
// What a receiver that the machine has kept waiting reads in one lump.
constexpr int kLump = 30;
// One probe in 500 ms by all workers together. A busy machine may bring a late one near the next,
// and whoever has just lost its Redis or has just joined does not know the breaker yet.
constexpr int kProbesPerS = 4;
constexpr int kUnaware = 3 * 6;
// A killed worker's permits are free when their lease is over.
constexpr Millis kStuck{20000};
constexpr const char* kWorkers[] = {"worker-1", "worker-2", "worker-3"};

std::vector<int64_t> ReceiptsOf(Installation& relay, const std::string& sink) {
  std::vector<int64_t> times;
  AccountLineParser parser;
  ReceivedLine line;
  const Status read = ForEachLine(relay.path(sink + ".jsonl"), [&](std::string_view text) {
    if (parser.Parse(text, &line).ok()) times.push_back(line.at_us);
  });
  relay.scene().Require(read, "the log of a receiver cannot be read");
  std::sort(times.begin(), times.end());
  return times;
}

int64_t MostWithin(const std::vector<int64_t>& times, int64_t span_us) {
  size_t first = 0;
  int64_t most = 0;
  for (size_t last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] >= span_us) ++first;
    most = std::max(most, static_cast<int64_t>(last - first) + 1);
  }
  return most;
}

// Returns the port of the one that is down.
int StartReceivers(Installation& relay) {
  const int down_port = relay.StartSink("down", {"--status", "500"});
  relay.Apply({
      {"capped", relay.StartSink("capped", {"--delay", std::to_string(kAnswerUs / 1000) + "ms"}),
       "in_flight_max = " + std::to_string(kCap) + "\n" + Installation::EndpointOf("capped")},
      {"rated", relay.StartSink("rated"),
       "rate = { per_s = " + std::to_string(kRate) + ", burst = " + std::to_string(kBurst) +
           " }\n" + Installation::EndpointOf("rated")},
      {"down", down_port,
       "in_flight_max = 50\n" + Installation::SigningOf("down") +
           "breaker = { failures = 5, probe_every = \"500ms\", slow_start = \"1s\" }\n"
           "retry = { schedule = [\"200ms\"], attempts = 60 }\n"},
  });
  return down_port;
}

void KillWorker(Installation& relay, const std::string& worker) {
  const int64_t from_us = WallMicros();
  relay.Kill(worker);
  relay.StartAgain(worker);
  relay.AwaitReady(worker);
  relay.scene().LogFault("kill", worker, from_us, WallMicros());
  relay.scene().Count("kills", 1);
}

void KillRedis(Installation& relay) {
  const int64_t from_us = WallMicros();
  relay.redis().Kill9();
  relay.StartRedis();
  relay.AwaitReady("broker-1");
  for (const char* worker : kWorkers) relay.AwaitReady(worker);
  relay.scene().LogFault("kill", "redis", from_us, WallMicros());
  relay.scene().Count("kills", 1);
}

void JoinAndLeave(Installation& relay) {
  relay.StartWorker("worker-4");
  Pass(relay.scene().Between(Millis(500), Millis(1500)));
  relay.program("worker-4").Signal(SIGTERM);
  const auto status = relay.program("worker-4").Wait(Seconds(25));
  relay.scene().Expect(status == 0, "a worker that leaves does not end well");
}

void PlayFaults(Installation& relay) {
  Scene& scene = relay.scene();
  std::vector<std::function<void()>> faults = {[&] { JoinAndLeave(relay); },
                                               [&] { KillRedis(relay); }};
  for (const char* worker : kWorkers)
    faults.push_back([&relay, worker] { KillWorker(relay, worker); });
  for (int turn = 0; turn < scene.Sized(1, 4); ++turn) {
    for (size_t left = faults.size(); left > 1; --left) {
      std::swap(faults[left - 1], faults[scene.random().Below(left)]);
    }
    for (const auto& fault : faults) {
      Pass(scene.Between(Millis(100), Millis(800)));
      fault();
    }
  }
}

void Judge(Installation& relay, int64_t down_until_us) {
  Scene& scene = relay.scene();
  const auto hold = [&](const std::string& name, int64_t most, int64_t limit) {
    scene.Worst(name, most);
    scene.Expect(most <= limit,
                 name + " " + std::to_string(most) + ", promised are " + std::to_string(limit));
  };
  hold("in_flight_at_once", MostWithin(ReceiptsOf(relay, "capped"), kAnswerUs), kCap);
  hold("in_a_second", MostWithin(ReceiptsOf(relay, "rated"), kSecondUs), kRate + kBurst + kLump);
  std::vector<int64_t> probes = ReceiptsOf(relay, "down");
  std::erase_if(probes, [down_until_us](int64_t at_us) { return at_us >= down_until_us; });
  const int64_t down_us = down_until_us - (probes.empty() ? down_until_us : probes.front());
  hold("attempts_at_one_that_is_down", static_cast<int64_t>(probes.size()),
       kUnaware * (scene.Sized(5, 20) + 1) + kProbesPerS * (down_us / kSecondUs + 1));
  scene.Expect(!probes.empty(), "one that is down is not tried at all");
}

}  // namespace

void PlayLanes(Scene& scene) {
  Installation relay(scene);
  const int down_port = StartReceivers(relay);
  relay.StartBroker("broker-1");
  for (const char* worker : kWorkers) {
    relay.StartWorker(worker, {{}, {"RELAY_WORKER_LEASE_MARGIN=1s"}});
  }
  const auto load = relay.Load({"--rate", "30", "--duration", "10m", "--retry", "--streams", "50"});
  Pass(Seconds(1));
  PlayFaults(relay);
  Pass(Seconds(1));
  load->Signal(SIGINT);
  relay.AwaitLoad(*load, Seconds(60));

  const int64_t down_until_us = WallMicros();
  relay.sink("down").Kill9();
  relay.StartSink("down", {"--listen", "127.0.0.1:" + std::to_string(down_port)});
  BookRules rules;
  rules.stuck = kStuck;
  CloseBooks(relay, rules);
  Judge(relay, down_until_us);
}

}  // namespace relay

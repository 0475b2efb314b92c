// From a callback to its receipts: with everything running, each receipt in a receiver's log, and
// the accountant holding the logs against each other.

#include <string>
#include <vector>

#include "bench/load/bench_options.h"
#include "bench/load/measurement.h"
#include "bench/load/receivers.h"
#include "tests/chaos/books.h"

namespace relay {

namespace {

constexpr Millis kLoadPatience{240000};

// The figures of simulate's answer times, from its JSON.
void TakeAckTimes(Scene& scene, const Account& result) {
  for (const char* name : {"ack_p50_us", "ack_p90_us", "ack_p99_us", "ack_p999_us", "ack_max_us"}) {
    scene.Worst(name, result.Number(name));
  }
}

void MeasurePath(Scene& scene, const std::string& durability, const std::vector<std::string>& how) {
  Installation relay(scene, BenchOptions(durability));
  relay.StartSinksAndApply({"a", "b", "c"});
  relay.StartBroker("broker");
  relay.StartWorker("worker");
  std::vector<std::string> options = {"--streams", "1000", "--json"};
  options.insert(options.end(), how.begin(), how.end());
  const auto load = relay.Load(options);
  const Account result(relay.AwaitLoad(*load, kLoadPatience));
  scene.Worst("accepted_per_s", result.Number("accepted_per_s"));
  TakeAckTimes(scene, result);
  const Account account = CloseBooks(relay, {.duplicates = false});
  for (const char* name :
       {"sent_to_receipt_p50_us", "sent_to_receipt_p90_us", "sent_to_receipt_p99_us"}) {
    scene.Worst(name, account.Number(name));
  }
}

// An open loop: callbacks leave when they are due, whatever became of those before.
void MeasurePaced(Scene& scene, const std::string& durability, int rate, int seconds) {
  MeasurePath(scene, durability,
              {"--rate", std::to_string(rate), "--count", std::to_string(rate * seconds),
               "--open-loop", "--connections", "64"});
}

void MeasureSustained(Scene& scene, const std::string& durability) {
  MeasurePath(scene, durability, {"--count", "120000", "--connections", "64"});
}

// Half of what the broker itself can do, found out first.
void MeasureAtHalf(Scene& scene, const std::string& durability, int seconds) {
  Installation relay(scene, BenchOptions(durability));
  relay.Apply({{"nobody", FreeLoopbackPort(), ""}});
  relay.StartBroker("broker");
  const auto full =
      relay.Load({"--duration", "3s", "--connections", "64", "--streams", "1000", "--json"});
  const int64_t most = Account(relay.AwaitLoad(*full, kLoadPatience)).Number("accepted_per_s");
  scene.Worst("most_per_s", most);
  const auto half =
      relay.Load({"--rate", std::to_string(most / 2), "--duration", std::to_string(seconds) + "s",
                  "--open-loop", "--connections", "256", "--streams", "1000", "--json"});
  const Account result(relay.AwaitLoad(*half, kLoadPatience));
  TakeAckTimes(scene, result);
  scene.Expect(result.Number("accepted") == result.Number("callbacks"), result.json());
}

}  // namespace

std::vector<Measurement> EndToEndMeasurements(BenchSize size) {
  const bool full = size == BenchSize::kFull;
  std::vector<Measurement> measurements;
  for (const char* const durability : {"everysec", "always"}) {
    const std::string contender = std::string("relay ") + durability;
    const std::string how = durability;
    for (const int rate : full ? std::vector<int>{100, 1000, 5000} : std::vector<int>{1000}) {
      const int seconds = rate > 1000 ? 4 : 5;
      measurements.push_back(
          {"path", std::to_string(rate) + " events/s x 3", contender,
           [how, rate, seconds](Scene& scene) { MeasurePaced(scene, how, rate, seconds); }});
    }
    if (!full) continue;
    measurements.push_back({"half", "half of its own most", contender,
                            [how](Scene& scene) { MeasureAtHalf(scene, how, 4); }});
    measurements.push_back({"sustained", "as fast as it goes x 3", contender,
                            [how](Scene& scene) { MeasureSustained(scene, how); }});
  }
  return measurements;
}

}  // namespace relay

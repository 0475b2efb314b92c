// Several hundred clients hold on to connections of the broker in every way they can, and come
// again when they are cut off. Each is cut off by its deadline, and honest senders do not notice.

#include "tests/chaos/net/slow_clients.h"

#include <algorithm>
#include <array>
#include <string>

#include "relay/http_server.h"
#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/process_facts.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr Millis kHeadDeadline{1000};
constexpr Millis kIdle{2000};
// The broker looks every quarter of the shortest deadline, and this machine has others to serve.
constexpr Millis kSlack{2500};
constexpr int64_t kBrokerKibMax = 64 * 1024;
// Below this an acknowledgement's p99 tells of the machine, not of the broker; in the small size it
// may have much else to do.
constexpr int64_t kAckP99FloorCiUs = 100'000;
constexpr int64_t kAckP99FloorUs = 20'000;

Millis LongestLifeOf(SlowDeadline deadline) {
  switch (deadline) {
    case SlowDeadline::kHead:
      return kHeadDeadline + kSlack;
    case SlowDeadline::kBody:
      return std::chrono::ceil<Millis>(HttpLimits().body_grace) + kSlack;
    case SlowDeadline::kIdle:
      return kIdle + kSlack;
  }
  return Millis(0);
}

// Honest senders for so long; returns the p99 of their acknowledgements in µs.
int64_t AckP99(Installation& relay, const char* duration, int64_t* broker_kib_max) {
  auto load = relay.Load({"--json", "--rate", "300", "--duration", duration, "--connections", "16",
                          "--streams", "50", "--retry"});
  while (load->running()) {
    *broker_kib_max = std::max(*broker_kib_max, relay.program("broker-1").resident_kib());
    Pass(Millis(100));
  }
  return Account(relay.AwaitLoad(*load, Seconds(60))).Number("ack_p99_us");
}

// The median of three such times in a row: a machine that stands still for a moment spoils one of
// them, slow clients that are felt spoil them all.
int64_t MedianAckP99(Installation& relay, const char* duration, int64_t* broker_kib_max) {
  std::array<int64_t, 3> p99_us{};
  for (int64_t& one : p99_us) one = AckP99(relay, duration, broker_kib_max);
  std::sort(p99_us.begin(), p99_us.end());
  return p99_us[1];
}

void ExpectEndedInTime(Scene& scene, const SlowLives& lives) {
  const Millis most = LongestLifeOf(lives.deadline);
  scene.Expect(lives.ended > 0, "nobody who " + lives.kind + " was cut off");
  scene.Expect(lives.longest <= most, lives.kind + ": held on for " +
                                          std::to_string(lives.longest.count()) + " ms, not " +
                                          std::to_string(most.count()));
  scene.Count("slow_connections_ended", lives.ended);
}

}  // namespace

void PlaySlowClients(Scene& scene) {
  Installation::Options options;
  // Redis lives: what is measured is the clients' doing and not the disk's.
  options.durability = "everysec";
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a"});
  const auto ms = [](Millis time) { return std::to_string(time.count()) + "ms"; };
  relay.StartBroker(
      "broker-1",
      {{}, {"RELAY_BROKER_HEAD_DEADLINE=" + ms(kHeadDeadline), "RELAY_BROKER_IDLE=" + ms(kIdle)}});
  relay.StartWorker("worker-1");
  const char* const calm = scene.Sized("2s", "10s");
  int64_t broker_kib = 0;
  const int64_t p99_before_us = AckP99(relay, calm, &broker_kib);
  const int descriptors_before = DescriptorsOf(relay.program("broker-1").pid());

  SlowClients slow({.port = relay.broker_port(), .of_each_kind = scene.Sized(50, 200)});
  const int64_t p99_us = MedianAckP99(relay, scene.Sized("2500ms", "15s"), &broker_kib);
  for (const SlowLives& lives : slow.Stop()) ExpectEndedInTime(scene, lives);

  const int64_t p99_calm_us = std::max(p99_before_us, AckP99(relay, calm, &broker_kib));
  scene.Expect(p99_us <= std::max(2 * p99_calm_us, scene.Sized(kAckP99FloorCiUs, kAckP99FloorUs)),
               "acknowledgements take " + std::to_string(p99_us) +
                   " us (p99), without slow clients " + std::to_string(p99_calm_us));
  scene.Expect(broker_kib <= kBrokerKibMax,
               "the broker takes " + std::to_string(broker_kib) + " KiB");
  scene.Worst("ack_p99_us", p99_us);
  scene.Worst("ack_p99_calm_us", p99_calm_us);
  scene.Worst("broker_rss_kib", broker_kib);
  scene.Expect(
      WaitUntil(
          kIdle + Seconds(5),
          [&] { return DescriptorsOf(relay.program("broker-1").pid()) <= descriptors_before; }),
      std::to_string(DescriptorsOf(relay.program("broker-1").pid())) +
          " descriptors are left open, before it were " + std::to_string(descriptors_before));
  const Account account = CloseBooks(relay, {.duplicates = false});
  scene.Expect(account.Number("acked") == account.Number("callbacks"),
               "honest senders were refused: " + account.json());
}

}  // namespace relay

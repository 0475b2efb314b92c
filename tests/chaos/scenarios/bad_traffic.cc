// Requests that are wrong in every way we know, amid good ones: none of them is taken, each is told
// so at once, and the good ones do not notice.

#include "tests/chaos/net/bad_traffic.h"

#include <cmath>
#include <string>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

// In the small size the machine may have much else to do.
constexpr int64_t kRefusalP99CiUs = 100'000;
constexpr int64_t kRefusalP99Us = 50'000;

void ExpectRefused(Scene& scene, const BadTrafficResult& bad) {
  std::string examples;
  for (const std::string& example : bad.examples) examples += "\n      " + example;
  scene.Expect(bad.accepted == 0,
               std::to_string(bad.accepted) + " bad requests were taken" + examples);
  scene.Expect(bad.unanswered == 0,
               std::to_string(bad.unanswered) + " bad requests got no answer" + examples);
  scene.Expect(bad.surprises == 0,
               std::to_string(bad.surprises) + " bad requests got the wrong answer" + examples);
  const int64_t p99_us = bad.refusal_latency.Percentile(99).count();
  scene.Expect(p99_us < scene.Sized(kRefusalP99CiUs, kRefusalP99Us),
               "a refusal takes " + std::to_string(p99_us) + " us (p99)");
  scene.Worst("refusal_p99_us", p99_us);
  scene.Count("bad_requests", bad.sent);
}

}  // namespace

void PlayBadTraffic(Scene& scene) {
  Installation relay(scene);
  relay.StartSinksAndApply({"a", "b"});
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  // Without --retry: nothing else goes wrong, so every good one is taken at its first sending.
  auto load = relay.Load({"--rate", "300", "--duration", scene.Sized("8s", "120s"), "--connections",
                          "8", "--streams", "50"});
  BadTraffic bad({.port = relay.broker_port(),
                  .seed = scene.random().Next(),
                  .count = scene.Sized<int64_t>(20'000, 1'000'000)});
  ExpectRefused(scene, bad.Await());
  relay.AwaitLoad(*load, Seconds(150));
  relay.ExpectAllRunning();
  const double stored = relay.Metric("broker-1", "relay_accepted_total");
  const Account account = CloseBooks(relay, {.duplicates = false});
  const int64_t acked = account.Number("acked");
  scene.Expect(acked == account.Number("callbacks"), "good ones were refused: " + account.json());
  scene.Expect(std::llround(stored) == acked, std::to_string(std::llround(stored)) +
                                                  " callbacks were stored for " +
                                                  std::to_string(acked) + " good ones");
}

}  // namespace relay

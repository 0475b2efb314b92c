// What is held in memory: for a connection, for a pending event, for a delivery in flight, and by
// each program at rest.

#include <string>
#include <utility>
#include <vector>

#include "bench/load/bench_options.h"
#include "bench/load/measurement.h"
#include "bench/load/receivers.h"
#include "bench/load/redis_view.h"
#include "tests/support/raw_client.h"

namespace relay {

namespace {

constexpr int64_t kKib = 1024;

// Of one worker that may have read more than it may have in flight.
Installation::Options WithCredit(int credit) {
  Installation::Options options = BenchOptions();
  options.credit = credit;
  return options;
}

// Each has had an answer, so that it has the buffers that it keeps.
void MeasureConnections(Scene& scene) {
  constexpr int kConnections = 4000;
  Installation relay(scene, BenchOptions());
  relay.Apply({{"nobody", FreeLoopbackPort(), ""}});
  relay.StartBroker("broker");
  ChildProgram& broker = relay.program("broker");
  const int64_t before = broker.resident_kib();
  scene.Worst("broker_idle_kib", before);
  std::vector<RawClient> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(RawClient::Connect(relay.broker_port()));
    clients.back().Send("POST /in/nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
  }
  for (RawClient& client : clients) {
    scene.Expect(WaitUntil(Seconds(10), [&client] { return client.Look().Count("404") > 0; }),
                 "a connection has no answer");
  }
  scene.Worst("bytes_each", (broker.resident_kib() - before) * kKib / kConnections);
}

// What a pending event may take: its content and a quarter more; each unfinished delivery; that it
// is remembered as seen; the history of each delivery that has failed.
constexpr double kContentFactor = 1.25;
constexpr int64_t kDeliveryBytes = 170;
constexpr int64_t kWindowBytes = 210;
constexpr int64_t kHistoryBytes = 90;

// Nobody receives: every event owes three deliveries, first not tried, then tried and failed.
void MeasurePending(Scene& scene) {
  constexpr int64_t kEvents = 20000;
  constexpr int kFanOut = 3;
  Installation relay(scene, BenchOptions());
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b", "c"}) {
    endpoints.push_back({name, FreeLoopbackPort(),
                         "retry = { schedule = [\"1h\"] }\nin_flight_max = 1000\n" +
                             Installation::SigningOf(name)});
  }
  relay.Apply(endpoints);
  relay.StartBroker("broker");
  RedisView view(scene, relay.redis());
  const int64_t empty = view.Info("memory", "used_memory");
  Preload(relay, kEvents);
  const int64_t stored = view.Info("memory", "used_memory");
  scene.Worst("stored_bytes_an_event", (stored - empty) / kEvents);
  // The attempt log has a bound of its own: it is no part of what an event takes.
  relay.StartWorker("worker", {.environment = {"RELAY_ATTEMPT_LOG_ENABLED=false"}});
  scene.Expect(WaitUntil(Seconds(120), [&relay] { return relay.Status("unsettled") == 0; }),
               "not all events have been tried");
  scene.Expect(relay.Status("pending") == kEvents * kFanOut, "deliveries are missing");
  const int64_t failed = view.Info("memory", "used_memory");
  scene.Worst("owed_bytes_an_event", (failed - empty) / kEvents);
  const auto content = static_cast<double>(view.BytesOfAnEntry());
  const int64_t allowed = static_cast<int64_t>(kContentFactor * content) + kWindowBytes +
                          kFanOut * (kDeliveryBytes + kHistoryBytes);
  scene.Worst("allowed_bytes_an_event", allowed);
}

// Receivers that never answer hold as many attempts as the worker may make.
void MeasureInFlight(Scene& scene) {
  constexpr int64_t kInFlight = 10000;
  constexpr int kEndpoints = 4;
  constexpr int64_t kKibMost = 256 * 1024;
  Installation relay(scene, WithCredit(20000));
  std::vector<ChaosEndpoint> endpoints;
  for (int i = 0; i < kEndpoints; ++i) {
    const std::string name = "hang-" + std::to_string(i);
    endpoints.push_back(
        {name, relay.StartSink(name, {"--hang", "1"}),
         "in_flight_max = 2500\ntimeout = \"60s\"\nbreaker = { failures = 0, share = 0 }\n" +
             Installation::SigningOf(name)});
  }
  relay.Apply(endpoints);
  relay.StartBroker("broker");
  relay.StartWorker("worker",
                    {.environment = {"RELAY_DELIVERY_TIMEOUT=60s", "RELAY_WORKER_DRAIN=60s"}});
  ChildProgram& worker = relay.program("worker");
  const int64_t idle = worker.resident_kib();
  scene.Worst("worker_idle_kib", idle);
  Preload(relay, kInFlight / kEndpoints, {"--body-bytes", "1024"});
  const bool reached = WaitUntil(
      Seconds(60), [&relay] { return relay.Metric("worker", "relay_in_flight") >= kInFlight; });
  scene.Worst("in_flight", static_cast<int64_t>(relay.Metric("worker", "relay_in_flight")));
  scene.Expect(reached, "10,000 deliveries are not in flight");
  scene.Worst("worker_kib", worker.resident_kib());
  scene.Worst("bytes_each", (worker.resident_kib() - idle) * kKib / kInFlight);
  scene.Expect(worker.resident_kib() <= kKibMost, "the worker needs more than 256 MiB");
}

}  // namespace

std::vector<Measurement> MemoryMeasurements() {
  return {{"memory", "connections", "broker", &MeasureConnections},
          {"memory", "pending events", "redis", &MeasurePending},
          {"memory", "deliveries in flight", "worker", &MeasureInFlight}};
}

}  // namespace relay

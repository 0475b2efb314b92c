#include "bench/load/receivers.h"

#include <algorithm>

namespace relay {

namespace {

constexpr Millis kLookEvery{10};
constexpr Seconds kStuck{20};
constexpr Millis kPreloadPatience{240000};

}  // namespace

void MeasurePace(Scene& scene, Nginx& receivers, int64_t total,
                 const std::function<Millis()>& cpu) {
  const SystemClock clock;
  int64_t first = 0;
  MonoTime first_at{};
  Millis first_cpu{0};
  int64_t last = -1;
  MonoTime progress = clock.Now();
  while (true) {
    const int64_t requests = receivers.Requests();
    const MonoTime now = clock.Now();
    if (first == 0 && requests >= total / 10) {
      first = requests;
      first_at = now;
      first_cpu = cpu();
    }
    if (requests >= total * 9 / 10) {
      const double seconds = std::chrono::duration<double>(now - first_at).count();
      const auto arrived = static_cast<double>(requests - first);
      scene.Worst("per_s", static_cast<int64_t>(arrived / seconds));
      scene.Worst("cpu_ns", static_cast<int64_t>(static_cast<double>((cpu() - first_cpu).count()) *
                                                 1e6 / arrived));
      return;
    }
    if (requests != last) progress = now;
    last = requests;
    if (now - progress > kStuck) {
      scene.Abandon("only " + std::to_string(requests) + " of " + std::to_string(total) +
                    " requests have arrived");
    }
    Pass(kLookEvery);
  }
}

std::vector<ChaosEndpoint> EndpointsAt(const Nginx& receivers, int count, bool tls) {
  std::vector<ChaosEndpoint> endpoints;
  for (int i = 0; i < count; ++i) {
    const std::string name = "receiver-" + std::to_string(i);
    endpoints.push_back({.id = name,
                         .port = receivers.port(i),
                         .more = "in_flight_max = " + std::to_string(kInFlightOfEndpoint) + "\n" +
                                 Installation::EndpointOf(name),
                         .scheme_host = tls ? "https://127.0.0.1" : "http://127.0.0.1"});
  }
  return endpoints;
}

void Preload(Installation& relay, int64_t count, const std::vector<std::string>& options) {
  std::vector<std::string> command = {RELAY_BIN_DIR "/relayctl",
                                      "simulate",
                                      "tencent-live",
                                      "--to",
                                      relay.url(),
                                      "--key",
                                      "demo-key",
                                      "--connections",
                                      "64",
                                      "--count",
                                      std::to_string(count)};
  command.insert(command.end(), options.begin(), options.end());
  Run(relay.scene(), command, kPreloadPatience);
}

void ExpectDelivered(Installation& relay, Nginx& receivers, int64_t total, bool failing) {
  Scene& scene = relay.scene();
  scene.Expect(relay.Drained(kStuck), "the backlog does not drain");
  const int64_t requests = receivers.Requests();
  scene.Expect(requests == total || (failing && requests > total),
               std::to_string(requests) + " requests, " + std::to_string(total) + " were owed");
  scene.Worst("requests", requests);
  const int64_t delivered = relay.Status("ok");
  scene.Worst("delivered", delivered);
  scene.Expect(delivered == total, std::to_string(delivered) + " delivered");
  int64_t parked = 0;
  for (const std::string& name : relay.programs()) {
    if (!name.starts_with("worker")) continue;
    parked += static_cast<int64_t>(relay.Metric(name, "relay_parked_total"));
  }
  scene.Worst("parked", parked);
  const ProgramRun checked = relay.Relayctl({"fsck"});
  scene.Expect(checked.status == 0, "fsck: " + checked.output);
}

}  // namespace relay

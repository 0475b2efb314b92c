// What grows with the installation: tenants, endpoints, partitions, workers, and how long a backlog
// takes.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "bench/load/bench_options.h"
#include "bench/load/measurement.h"
#include "bench/load/receivers.h"
#include "tests/chaos/books.h"
#include "tests/chaos/process_facts.h"

namespace relay {

namespace {

constexpr int64_t kRequests = 90000;
constexpr int kFanOut = 3;
constexpr Millis kApplyPatience{120000};

// Stores events and has the given number of workers deliver them all.
void MeasureBacklog(Scene& scene, int workers, int64_t requests) {
  Nginx receivers(scene, {.ports = kFanOut});
  Installation relay(scene, BenchOptions());
  relay.Apply(EndpointsAt(receivers, kFanOut, /*tls=*/false));
  relay.StartBroker("broker");
  const int64_t events = requests / kFanOut + 1;
  Preload(relay, events);
  const SystemClock clock;
  const MonoTime begin = clock.Now();
  std::vector<pid_t> pids;
  for (int i = 1; i <= workers; ++i) {
    const std::string name = "worker-" + std::to_string(i);
    relay.StartWorker(name);
    pids.push_back(relay.program(name).pid());
  }
  MeasurePace(scene, receivers, events * kFanOut, [&pids] {
    Millis sum{0};
    for (const pid_t pid : pids) sum += CpuTimeOf(pid);
    return sum;
  });
  ExpectDelivered(relay, receivers, events * kFanOut, /*failing=*/false);
  scene.Worst("drained_ms", std::chrono::duration_cast<Millis>(clock.Now() - begin).count());
}

void MeasurePartitions(Scene& scene, int partitions) {
  setenv("RELAY_REDIS_PARTITIONS", std::to_string(partitions).c_str(), 1);
  MeasureBacklog(scene, 1, kRequests);
}

void WriteCatalogHead(std::ofstream& catalog, const std::string& route) {
  catalog << "format = 1\n[[source]]\nid = \"demo\"\npath = \"demo\"\nprovider = "
             "\"tencent-live\"\nkeys = [\"demo-key\"]\nroute = "
          << route << "\n";
}

void WriteEndpoint(std::ofstream& catalog, const std::string& id, int port,
                   const std::string& more) {
  catalog << "[[tenant.endpoint]]\nid = \"" << id << "\"\nurl = \"http://127.0.0.1:" << port
          << "/hook\"\nin_flight_max = 100\n"
          << Installation::EndpointOf("receiver") << more;
}

// Returns how long it took.
Millis ApplyCatalog(Installation& relay) {
  const SystemClock clock;
  const MonoTime begin = clock.Now();
  const ProgramRun applied = relay.Relayctl({"apply", relay.catalog_path()}, kApplyPatience);
  if (applied.status != 0) relay.scene().Abandon("relayctl apply: " + applied.output);
  return std::chrono::duration_cast<Millis>(clock.Now() - begin);
}

// Stores and delivers `events` that each reach one endpoint, and takes what the broker and the
// worker need for it.
void MeasureCost(Scene& scene, Installation& relay, Nginx& receivers, int64_t events,
                 const std::vector<std::string>& load) {
  relay.StartBroker("broker");
  const pid_t broker = relay.program("broker").pid();
  const Millis before = CpuTimeOf(broker);
  Preload(relay, events, load);
  scene.Worst("broker_cpu_ns", (CpuTimeOf(broker) - before).count() * 1'000'000 / events);
  relay.StartWorker("worker");
  const pid_t worker = relay.program("worker").pid();
  MeasurePace(scene, receivers, events, [worker] { return CpuTimeOf(worker); });
  ExpectDelivered(relay, receivers, events, /*failing=*/false);
  scene.Worst("broker_kib", relay.program("broker").resident_kib());
  scene.Worst("worker_kib", relay.program("worker").resident_kib());
}

// Callbacks at a moderate rate, and a change of the catalog in their midst: whatever a program has
// to do for it, it must not keep them waiting.
void MeasureChange(Installation& relay, int tenants) {
  const auto load = relay.Load({"--rate", "500", "--duration", "6s", "--open-loop", "--connections",
                                "32", "--domains", std::to_string(tenants), "--streams",
                                std::to_string(tenants), "--json"});
  Pass(Seconds(1));
  std::ofstream(relay.catalog_path(), std::ios::app)
      << "[[tenant]]\nid = \"newcomer\"\nroutes = { push_domain = [\"newcomer.example\"] }\n";
  ApplyCatalog(relay);
  const Account result(relay.AwaitLoad(*load, kApplyPatience));
  relay.scene().Worst("change_ack_max_us", result.Number("ack_max_us"));
  relay.scene().Expect(result.Number("accepted") == result.Number("callbacks"), result.json());
}

// Each tenant has a push domain and an endpoint; events go to the first thousand in turn, so that
// what is prepared once for an endpoint does not count. The endpoints of all share a receiver, as
// many hosts would not fit on a machine.
void MeasureTenants(Scene& scene, int tenants) {
  Nginx receivers(scene, {});
  Installation relay(scene, BenchOptions());
  {
    std::ofstream catalog(relay.catalog_path());
    WriteCatalogHead(catalog, "{ by = \"push_domain\" }");
    for (int i = 0; i < tenants; ++i) {
      catalog << "[[tenant]]\nid = \"t" << i << "\"\nroutes = { push_domain = [\"push-" << i
              << ".livepush.example\"] }\n";
      WriteEndpoint(catalog, "hook", receivers.port(), "");
    }
  }
  scene.Worst("apply_ms", ApplyCatalog(relay).count());
  constexpr int kActiveMost = 1000;
  const std::string active = std::to_string(std::min(tenants, kActiveMost));
  MeasureCost(scene, relay, receivers, kRequests / 2, {"--domains", active, "--streams", active});
  MeasureChange(relay, tenants);
}

// One tenant, of whose endpoints one wants the events.
void MeasureEndpoints(Scene& scene, int endpoints) {
  Nginx receivers(scene, {});
  Installation relay(scene, BenchOptions());
  {
    std::ofstream catalog(relay.catalog_path());
    WriteCatalogHead(catalog, "{ tenant = \"acme\" }");
    catalog << "[[tenant]]\nid = \"acme\"\nlimits = { endpoints = 0 }\n";
    for (int i = 0; i < endpoints; ++i) {
      const std::string wanted = i == 0 ? "0,1,100,200" : std::to_string(1000 + i);
      WriteEndpoint(catalog, "hook-" + std::to_string(i), receivers.port(),
                    "pattern = '{\"event_type\":[" + wanted + "]}'\n");
    }
  }
  scene.Worst("apply_ms", ApplyCatalog(relay).count());
  MeasureCost(scene, relay, receivers, kRequests / 2, {"--streams", "1000"});
}

}  // namespace

std::vector<Measurement> ScaleMeasurements() {
  std::vector<Measurement> measurements;
  for (const int workers : {1, 2, 4}) {
    measurements.push_back(
        {"workers", std::to_string(workers), "relay everysec",
         [workers](Scene& scene) { MeasureBacklog(scene, workers, kRequests); }});
  }
  for (const int partitions : {4, 16, 64}) {
    measurements.push_back({"partitions", std::to_string(partitions), "relay everysec",
                            [partitions](Scene& scene) { MeasurePartitions(scene, partitions); }});
  }
  for (const int tenants : {10, 1000, 100000}) {
    measurements.push_back({"tenants", std::to_string(tenants), "relay everysec",
                            [tenants](Scene& scene) { MeasureTenants(scene, tenants); }});
  }
  for (const int endpoints : {10, 1000, 10000}) {
    measurements.push_back({"endpoints", std::to_string(endpoints), "relay everysec",
                            [endpoints](Scene& scene) { MeasureEndpoints(scene, endpoints); }});
  }
  measurements.push_back({"backlog", "1,000,000 deliveries", "relay everysec",
                          [](Scene& scene) { MeasureBacklog(scene, 1, 1'000'000); }});
  return measurements;
}

}  // namespace relay

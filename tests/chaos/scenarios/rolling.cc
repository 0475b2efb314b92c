// Nothing fails: an operator's ordinary day. Every process is restarted under load, workers join
// and leave, the catalog changes, an endpoint is paused and resumed. So nothing may be refused, and
// nothing may come twice.

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

// A drain may take 20 s.
constexpr Millis kEndPatience{25000};

void End(Installation& relay, const std::string& name) {
  relay.program(name).Signal(SIGTERM);
  const auto status = relay.program(name).Wait(kEndPatience);
  relay.scene().Expect(status == 0, name + " does not end well after SIGTERM: " +
                                        (status ? std::to_string(*status) : "it goes on"));
}

void Restart(Installation& relay, const std::string& name) {
  End(relay, name);
  relay.StartAgain(name);
  relay.AwaitReady(name);
  relay.scene().Count("restarts", 1);
}

void MustRun(Installation& relay, const std::vector<std::string>& arguments) {
  const ProgramRun run = relay.Relayctl(arguments);
  relay.scene().Expect(run.status == 0, "relayctl " + arguments.front() + ": " + run.output);
}

std::unique_ptr<ChildProgram> StartLoad(Installation& relay, const std::string& types,
                                        const std::string& duration) {
  return relay.Load({"--rate", "400", "--duration", duration, "--retry", "--connections", "32",
                     "--streams", "50", "--types", types});
}

void AwaitServed(Installation& relay, ChildProgram& load) {
  const std::string said = relay.AwaitLoad(load, Seconds(60));
  relay.scene().Expect(said.find("refused") == std::string::npos, "the load was refused: " + said);
}

ChaosEndpoint Receiver(Installation& relay, const std::string& name, const std::string& more,
                       const std::vector<std::string>& behaviour) {
  return {name, relay.StartSink(name, behaviour),
          "in_flight_max = 60\n" + more + Installation::EndpointOf(name)};
}

// What is stored under a catalog is matched by no older one: the endpoint is owed the very first
// callback that comes when the brokers know of it, although the workers, held up for a moment, do
// not know of it yet.
void AddEndpointAndLoad(Installation& relay, std::vector<ChaosEndpoint> endpoints) {
  const auto version = [&relay] {
    return std::min(relay.Metric("broker-1", "relay_catalog_version"),
                    relay.Metric("broker-2", "relay_catalog_version"));
  };
  const double before = version();
  for (const char* worker : {"worker-1", "worker-2"}) relay.program(worker).Signal(SIGSTOP);
  endpoints.push_back(Receiver(relay, "d", "pattern = '{\"event_type\":[100,200]}'\n", {}));
  relay.Apply(endpoints);
  relay.scene().Expect(WaitUntil(Seconds(5), [&] { return version() > before; }),
                       "the brokers do not take the new catalog");
  const auto load = StartLoad(relay, "100,200", "1s");
  const auto accepted = [&relay] { return relay.Metric("broker-1", "relay_accepted_total"); };
  const double accepted_before = accepted();
  relay.scene().Expect(WaitUntil(Seconds(5), [&] { return accepted() > accepted_before; }),
                       "nothing is accepted while workers are held up");
  for (const char* worker : {"worker-1", "worker-2"}) relay.program(worker).Signal(SIGCONT);
  AwaitServed(relay, *load);
}

}  // namespace

void PlayRolling(Scene& scene) {
  Installation relay(scene);
  // The third one fails and is slow: whoever is ended has much in flight, waiting and due.
  std::vector<ChaosEndpoint> endpoints = {
      Receiver(relay, "a", "", {"--delay", "20ms"}),
      Receiver(relay, "b", "", {"--delay", "20ms"}),
      Receiver(relay, "c", "", {"--delay", "100ms", "--fail", "0.1"}),
  };
  relay.Apply(endpoints);
  for (const char* name : {"broker-1", "broker-2"}) relay.StartBroker(name);
  for (const char* name : {"worker-1", "worker-2"}) relay.StartWorker(name);
  auto load = StartLoad(relay, "1,0", scene.Sized("9s", "40s"));

  const std::vector<std::function<void()>> acts = {
      [&] { Restart(relay, "worker-1"); },
      [&] { Restart(relay, "worker-2"); },
      [&] { Restart(relay, "broker-1"); },
      [&] { Restart(relay, "broker-2"); },
      [&] { relay.Apply(endpoints); },
      [&] {
        relay.StartWorker("worker-3");
        Pass(scene.Between(Millis(500), Millis(1500)));
        End(relay, "worker-3");
      },
      [&] {
        MustRun(relay, {"endpoint", "pause", "acme/b"});
        Pass(scene.Between(Millis(500), Millis(1500)));
        MustRun(relay, {"endpoint", "resume", "acme/b"});
      },
  };
  std::vector<size_t> order(acts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int turn = 0; turn < scene.Sized(1, 3); ++turn) {
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[scene.random().Below(i)]);
    for (const size_t act : order) {
      Pass(scene.Between(Millis(100), Millis(400)));
      acts[act]();
    }
  }
  AwaitServed(relay, *load);
  AddEndpointAndLoad(relay, endpoints);

  BookRules rules;
  rules.duplicates = false;
  CloseBooks(relay, rules);
}

}  // namespace relay

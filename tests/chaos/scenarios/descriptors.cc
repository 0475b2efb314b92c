// More clients than a broker has descriptors for, and more attempts than a worker has.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/process_facts.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int kBrokerFiles = 256;
constexpr int kCrowd = 1000;
// Few enough for the worker to want more while receivers are slow.
constexpr int kWorkerFiles = 96;

ProgramOptions WithFiles(int number) {
  return {.wrapper = {"prlimit", "--nofile=" + std::to_string(number)}, .environment = {}};
}

// Clients that connect, wait, and say nothing.
class Crowd {
 public:
  Crowd(int port, int number) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(port));
    for (int i = 0; i < number; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd < 0) break;
      // Under way is good enough: the backlog takes it.
      (void)connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
      clients_.push_back(fd);
    }
  }
  ~Crowd() {
    for (const int fd : clients_) close(fd);
  }
  Crowd(const Crowd&) = delete;
  size_t size() const { return clients_.size(); }

 private:
  std::vector<int> clients_;
};

void RaiseOwnLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int64_t LinesOf(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

// A crowd stands before the broker for a while: whoever was there before is served on, and the
// broker neither spins nor floods its log.
void Besiege(Installation& relay) {
  Scene& scene = relay.scene();
  const pid_t broker = relay.program("broker-1").pid();
  const Millis stay = scene.Between(Millis(2500), Millis(3500));
  const Crowd crowd(relay.broker_port(), kCrowd);
  scene.Expect(crowd.size() == kCrowd, "only " + std::to_string(crowd.size()) + " clients came");
  scene.Expect(WaitUntil(Seconds(5), [&] { return DescriptorsOf(broker) >= kBrokerFiles - 1; }),
               "the broker's descriptors are not used up");

  const int64_t lines = LinesOf(relay.Output("broker-1"));
  const Millis cpu = CpuTimeOf(broker);
  const int received = relay.Received("a");
  Pass(stay);
  const int64_t cpu_percent = (CpuTimeOf(broker) - cpu).count() * 100 / stay.count();
  scene.Worst("cpu_percent", cpu_percent);
  scene.Expect(cpu_percent < 30,
               "the broker spins: " + std::to_string(cpu_percent) + " % of a core");
  const int64_t lines_per_s = (LinesOf(relay.Output("broker-1")) - lines) * 1000 / stay.count();
  scene.Expect(lines_per_s < 10, std::to_string(lines_per_s) + " log lines a second");
  scene.Expect(relay.Received("a") > received, "who was connected before is not served any more");
  scene.Count("sieges", 1);
}

}  // namespace

void PlayDescriptors(Scene& scene) {
  RaiseOwnLimit();
  Installation relay(scene);
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b", "c"}) {
    endpoints.push_back({name, relay.StartSink(name, {"--delay", "60ms"}),
                         "in_flight_max = 100\n" + Installation::EndpointOf(name)});
  }
  relay.Apply(endpoints);
  relay.StartBroker("broker-1", WithFiles(kBrokerFiles));
  relay.StartWorker("worker-1", WithFiles(kWorkerFiles));
  // Not one callback is sent again: nothing may happen to those who are connected.
  auto load = relay.Load({"--rate", "200", "--duration", scene.Sized("8s", "30s"), "--connections",
                          "16", "--streams", "50"});
  const int sieges = scene.Sized(2, 6);
  for (int i = 0; i < sieges; ++i) {
    scene.Expect(WaitUntil(Seconds(10),
                           [&] { return relay.Metric("broker-1", "relay_accepted_total") > 0; }),
                 "nothing is accepted");
    Besiege(relay);
    relay.AwaitReady("broker-1", Seconds(5));
  }
  relay.AwaitLoad(*load, Seconds(60));
  BookRules rules;
  rules.duplicates = false;
  const Account account = CloseBooks(relay, rules);
  scene.Expect(account.Number("acked") == account.Number("callbacks"),
               std::to_string(account.Number("callbacks") - account.Number("acked")) +
                   " callbacks of connected clients were not acknowledged");
  const std::string series = "relay_refused_total{reason=\"descriptors\"";
  scene.Expect(relay.Metric("broker-1", series) >= 1, "nobody was shed");
}

}  // namespace relay

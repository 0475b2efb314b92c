// The ways between brokers, workers, Redis and receivers break in turn: silent in both directions
// or in one, cut in the middle of a command or an answer, a cable pulled. Whoever is cut off must
// say so, somebody else must take over, and all must go on once it is mended.

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/net/fault_proxy.h"
#include "tests/chaos/net/private_network.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

using Way = FaultProxy::Way;

constexpr int kPartitions = 16;
// command_deadline, and what a busy machine adds.
constexpr Millis kRefusedWithin{4000};
// Two seconds are promised once Redis is ready; a way that is mended is noticed a little later.
constexpr Millis kAcknowledgedWithin{3000};
// The lease of 5 s, the silence of 5 s that ends a worker's share, and the next look.
constexpr Millis kTakenOverWithin{12000};
constexpr Millis kBackWithin{15000};

class Partitions {
 public:
  explicit Partitions(Scene& scene);

  void Play();

 private:
  FaultProxy& AddWay(const std::string& name, const SocketAddress& upstream);
  ProgramOptions BehindItsWay(const std::string& name);
  void StartReceivers();
  void StartInNetwork(const std::string& worker);

  // The faults.
  void SilenceBroker();
  void CutBroker();
  void SilenceWorker();
  void SilenceReceiver();
  void PullCable();

  // Silences the way, in both directions or in one; returns a word for it.
  std::string Silence(FaultProxy& way);
  std::string BreakLink();
  void MendLink();
  double Owned(const std::string& worker) {
    return relay_.Metric(worker, "relay_partitions_owned");
  }
  void AwaitAcknowledgement(const std::string& broker);
  void AwaitShare(const std::string& worker);

  Scene& scene_;
  const Status own_network_;  // Before any socket is made.
  const std::string host_;    // Where the ways listen.
  Installation relay_;
  std::unique_ptr<PrivateNetwork> network_;  // Of worker-2; null when we have not the right.
  std::map<std::string, std::unique_ptr<FaultProxy>> ways_;  // From a program, or to a receiver.
};

Partitions::Partitions(Scene& scene)
    : scene_(scene),
      own_network_(EnterOwnNetwork()),
      host_(own_network_.ok() ? kHubAddress : "127.0.0.1"),
      relay_(scene) {
  StartReceivers();
  for (const char* broker : {"broker-1", "broker-2"}) {
    relay_.StartBroker(broker, BehindItsWay(broker));
  }
  relay_.StartWorker("worker-1", BehindItsWay("worker-1"));
  StartInNetwork("worker-2");
}

FaultProxy& Partitions::AddWay(const std::string& name, const SocketAddress& upstream) {
  FaultProxy::Options options;
  options.listen.host = host_;
  options.upstream = upstream;
  options.seed = scene_.random().Next();
  auto started = FaultProxy::Start(options);
  if (!started.ok()) scene_.Abandon("no proxy for " + name + ": " + started.status().text());
  ways_[name] = *std::move(started);
  return *ways_[name];
}

ProgramOptions Partitions::BehindItsWay(const std::string& name) {
  const FaultProxy& way = AddWay(name, relay_.redis().address());
  ProgramOptions options;
  options.environment = {"RELAY_REDIS_NODES=redis://" + way.address()};
  return options;
}

void Partitions::StartReceivers() {
  std::vector<ChaosEndpoint> endpoints;
  for (const char* name : {"a", "b"}) {
    SocketAddress sink;
    sink.host = "127.0.0.1";
    sink.port = relay_.StartSink(name);
    ChaosEndpoint endpoint{
        name, AddWay(name, sink).port(),
        "in_flight_max = 100\ntimeout = \"2s\"\n" + Installation::EndpointOf(name)};
    endpoint.scheme_host = "http://" + host_;
    endpoints.push_back(std::move(endpoint));
  }
  relay_.Apply(endpoints);
}

void Partitions::StartInNetwork(const std::string& worker) {
  ProgramOptions options = BehindItsWay(worker);
  if (!own_network_.ok()) {
    scene_.Remark(own_network_.text() + "; proxies stood in for pulled cables");
    return relay_.StartWorker(worker, options);
  }
  auto created = PrivateNetwork::Create(scene_.folder());
  if (!created.ok()) scene_.Abandon(created.status().text());
  network_ = *std::move(created);
  options.wrapper = network_->wrapper();
  options.admin_host = network_->address();
  options.environment.push_back("RELAY_WORKER_ADMIN_LISTEN=" + network_->address() + ":0");
  relay_.StartWorker(worker, options);
}

// ---- What must hold afterwards

void Partitions::AwaitAcknowledgement(const std::string& broker) {
  const SystemClock clock;
  const MonoTime mended = clock.Now();
  const double before = relay_.Metric(broker, "relay_accepted_total");
  const bool came = WaitUntil(
      Seconds(20), [&] { return relay_.Metric(broker, "relay_accepted_total") > before; });
  const auto took = std::chrono::ceil<Millis>(clock.Now() - mended);
  scene_.Expect(came && took <= kAcknowledgedWithin, broker + " acknowledges nothing for " +
                                                         std::to_string(took.count()) +
                                                         " ms after its way to Redis was mended");
  scene_.Worst("resume_ms", took.count());
}

// A worker that was cut off must take part again.
void Partitions::AwaitShare(const std::string& worker) {
  const bool back = WaitUntil(kBackWithin, [&] { return Owned(worker) > 0; });
  scene_.Expect(back, worker + " takes no partition after its way was mended");
}

// ---- Faults

std::string Partitions::Silence(FaultProxy& way) {
  switch (scene_.random().Below(3)) {
    case 0:
      way.Set(Way::kUp, {.held = true});
      return "nothing arrives";
    case 1:
      way.Set(Way::kDown, {.held = true});
      return "no answer arrives";
    default:
      way.Hold();
      return "silence";
  }
}

void Partitions::SilenceBroker() {
  const std::string broker = scene_.random().Below(2) == 0 ? "broker-1" : "broker-2";
  const int64_t from_us = WallMicros();
  const double refused = relay_.Metric(broker, "relay_refused_total");
  const std::string kind = Silence(*ways_[broker]);
  const bool told = WaitUntil(
      kRefusedWithin, [&] { return relay_.Metric(broker, "relay_refused_total") > refused; });
  scene_.Expect(told, "those who call " + broker + " wait, and are not told that Redis is silent");
  Pass(scene_.Between(Millis(0), Millis(scene_.Sized(1000, 4000))));
  ways_[broker]->Heal();
  scene_.LogFault(kind, broker + " to redis", from_us, WallMicros());
  AwaitAcknowledgement(broker);
}

void Partitions::CutBroker() {
  const std::string broker = scene_.random().Below(2) == 0 ? "broker-1" : "broker-2";
  const int64_t from_us = WallMicros();
  FaultProxy& way = *ways_[broker];
  way.Refuse();
  way.CutWithin(scene_.random().Below(2) == 0 ? Way::kUp : Way::kDown, 2000);
  Pass(scene_.Between(Millis(100), Millis(1000)));
  way.Heal();
  scene_.LogFault("reset", broker + " to redis", from_us, WallMicros());
  AwaitAcknowledgement(broker);
}

void Partitions::SilenceWorker() {
  const int64_t from_us = WallMicros();
  const std::string kind = Silence(*ways_["worker-1"]);
  const bool taken_over = WaitUntil(
      kTakenOverWithin, [&] { return Owned("worker-1") == 0 && Owned("worker-2") == kPartitions; });
  scene_.Expect(taken_over, "worker-1 is cut off, and worker-2 has not taken over");
  ways_["worker-1"]->Heal();
  scene_.LogFault(kind, "worker-1 to redis", from_us, WallMicros());
  AwaitShare("worker-1");
}

void Partitions::SilenceReceiver() {
  const std::string receiver = scene_.random().Below(2) == 0 ? "a" : "b";
  FaultProxy& way = *ways_[receiver];
  const int64_t from_us = WallMicros();
  std::string kind = Silence(way);
  Pass(scene_.Between(Millis(300), Millis(scene_.Sized(1000, 4000))));
  way.Heal();
  if (scene_.random().Below(2) == 0) {
    // Within the head of an answer: the receiver has it, and the worker cannot know.
    way.CutWithin(Way::kDown, 40);
    kind += ", reset";
  }
  scene_.LogFault(kind, "receiver " + receiver, from_us, WallMicros());
  const int received = relay_.Received(receiver);
  scene_.Expect(WaitUntil(kBackWithin, [&] { return relay_.Received(receiver) > received; }),
                "receiver " + receiver + " gets nothing after the way to it was mended");
  way.Heal();
}

std::string Partitions::BreakLink() {
  if (!network_) return Silence(*ways_["worker-2"]);
  switch (scene_.random().Below(3)) {
    case 0:
      scene_.Require(network_->LinkDown(), "link down");
      return "link down";
    case 1:
      scene_.Require(network_->DropOutgoing(), "drop outgoing");
      return "outgoing packets lost";
    default:
      scene_.Require(network_->DropIncoming(), "drop incoming");
      return "incoming packets lost";
  }
}

void Partitions::MendLink() {
  if (network_) scene_.Require(network_->Heal(), "link up");
  ways_["worker-2"]->Heal();
}

void Partitions::PullCable() {
  const int64_t from_us = WallMicros();
  const std::string kind = BreakLink();
  Pass(scene_.Between(Millis(1000), Millis(scene_.Sized(2000, 10'000))));
  MendLink();
  scene_.LogFault(kind, "worker-2", from_us, WallMicros());
  relay_.AwaitReady("worker-2");
  AwaitShare("worker-2");
}

void Partitions::Play() {
  auto load = relay_.Load(
      {"--rate", "500", "--duration", "600s", "--retry", "--connections", "24", "--streams", "50"});
  std::vector<void (Partitions::*)()> faults = {
      &Partitions::SilenceBroker, &Partitions::CutBroker, &Partitions::SilenceWorker,
      &Partitions::SilenceReceiver, &Partitions::PullCable};
  const int rounds = scene_.Sized(1, 3);
  for (int round = 0; round < rounds; ++round) {
    for (size_t left = faults.size(); left > 0; --left) {
      std::swap(faults[left - 1], faults[scene_.random().Below(left)]);
      Pass(scene_.Between(Millis(100), Millis(400)));
      (this->*faults[left - 1])();
    }
  }
  // It has been going on for as long as the faults needed.
  load->Signal(SIGTERM);
  relay_.AwaitLoad(*load, Seconds(20));
  relay_.ExpectAllRunning();
  CloseBooks(relay_);
}

}  // namespace

void PlayPartitions(Scene& scene) {
  Partitions(scene).Play();
}

}  // namespace relay

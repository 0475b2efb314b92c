// Half of all receivers behave as badly as a receiver can, each in its own way, beside as many that
// are well. The well ones must not notice; of the others each must be classed for what it does.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/net/hostile_receiver.h"
#include "tests/chaos/scenario_table.h"

namespace relay {

namespace {

constexpr int64_t kHealthyP99MsMax = 1000;
constexpr int64_t kWorkerKibMax = 256 * 1024;
// Those that hang have few slots, and end what they have one timeout after the other.
constexpr Seconds kDecidedWithinSmall{30};
constexpr Seconds kDecidedWithin{120};
// How many endpoints a sink of the well ones serves.
constexpr int kEndpointsOfSink = 8;
const char* const kSinks[] = {"well-a", "well-b", "well-c"};
// These are well when their time is over: their dead letters are put back.
constexpr std::string_view kHealed[] = {"hang", "500", "410", "no-tls", "answer-ahead"};
const char kHealedSink[] = "healed";
// The hostile ones take turns in three types of events, so that a round can have many events.
const char* const kTypes[] = {"0", "1", "100"};
// This hostile one and the first of the well ones alone are owed events of another type, too: when
// it has given up on those, nobody else needs their payload.
constexpr std::string_view kAlone = "500";
const char kTypeForOne[] = "200";
constexpr int kEventsForOne = 600;

// A second down, a second up: some attempt meets it up.
const char kPatient[] =
    "schedule = [\"300ms\", \"300ms\", \"300ms\", \"300ms\", \"300ms\", \"300ms\", \"300ms\", "
    "\"300ms\", \"300ms\", \"300ms\", \"300ms\", \"300ms\"]";
// Given up within the round.
const char kImpatient[] = "schedule = [\"500ms\"], jitter = 0.1";

// Where an attempt ends by its timeout, that is short, and there are fewer slots than are wanted at
// times, so that deliveries are parked. Everywhere else it has room for a busy machine.
std::string TermsOf(const HostileBehaviour& behaviour, const std::string& type) {
  const bool hangs = behaviour.last == "timed_out";
  const bool delivered = behaviour.outcome == HostileOutcome::kDelivered;
  std::string terms = "timeout = \"5s\"\nin_flight_max = 100\n";
  if (behaviour.holds_on) terms = "timeout = \"2s\"\nin_flight_max = 100\n";
  if (hangs) terms = "timeout = \"400ms\"\nin_flight_max = 6\n";
  terms += "pattern = '{\"event_type\":[" + type +
           (behaviour.path == kAlone ? std::string(",") + kTypeForOne : "") + "]}'\n";
  // All that is to be seen is what becomes of each attempt: none is put off for those before it.
  terms += "breaker = { failures = 0, share = 0 }\n";
  return terms + std::string(behaviour.more) + "retry = { " + (delivered ? kPatient : kImpatient) +
         ", final = [422], retry_after_max = \"1s\" }\n" +
         "signing = { scheme = \"standard-webhooks\", secrets = [\"" +
         Installation::SecretOf(kHealedSink) + "\"] }\n";
}

std::vector<ChaosEndpoint> HostileOnes(const HostileReceiver& receiver) {
  std::vector<ChaosEndpoint> endpoints;
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    const std::string path(behaviour.path);
    endpoints.push_back({path, receiver.port(behaviour),
                         TermsOf(behaviour, kTypes[endpoints.size() % std::size(kTypes)]),
                         "/" + path, receiver.scheme_host(behaviour)});
  }
  return endpoints;
}

std::vector<ChaosEndpoint> StartWellOnes(Installation& relay) {
  std::string pattern;
  for (const char* type : kTypes) pattern += (pattern.empty() ? "" : ",") + std::string(type);
  pattern = "pattern = '{\"event_type\":[" + pattern + "]}'\n";
  std::vector<ChaosEndpoint> endpoints;
  for (const std::string name : kSinks) {
    const int port = relay.StartSink(name);
    for (int i = 1; i <= kEndpointsOfSink; ++i) {
      endpoints.push_back({name + "-" + std::to_string(i), port,
                           (endpoints.empty() ? "" : pattern) + "in_flight_max = 100\n" +
                               Installation::EndpointOf(name)});
    }
  }
  return endpoints;
}

void ExpectSmall(Installation& relay) {
  const int64_t kib = relay.program("worker-1").resident_kib();
  relay.scene().Expect(kib < kWorkerKibMax, "the worker takes " + std::to_string(kib) + " KiB");
  relay.scene().Worst("worker_rss_kib", kib);
}

// The rates fit into no second, so that events come at every millisecond of it.
std::unique_ptr<ChildProgram> LoadOf(Installation& relay, const char* type, int events,
                                     const char* rate) {
  return relay.Load({"--json", "--types", type, "--count", std::to_string(events), "--rate", rate,
                     "--connections", "4", "--streams", "20"});
}

// So many events for each hostile one; meanwhile looks at the worker's memory. Returns how long
// acknowledgements took (p99).
int64_t PlayLoad(Installation& relay, int events) {
  std::vector<std::unique_ptr<ChildProgram>> loads;
  for (const char* type : kTypes) loads.push_back(LoadOf(relay, type, events, "11.3"));
  loads.push_back(LoadOf(relay, kTypeForOne, kEventsForOne, "66.7"));
  int64_t ack_p99_ms = 0;
  for (const auto& load : loads) {
    while (load->running()) {
      ExpectSmall(relay);
      Pass(Millis(100));
    }
    const Account load_account(relay.AwaitLoad(*load, Seconds(60)));
    ack_p99_ms = std::max(ack_p99_ms, load_account.Number("ack_p99_us") / 1000);
  }
  return ack_p99_ms;
}

// Waits until each delivery has arrived or is dead. Schedules are short: what goes on for longer
// goes on for ever, and the sums are drawn at once.
bool AllDecided(Installation& relay) {
  const Seconds patience = relay.scene().Sized(kDecidedWithinSmall, kDecidedWithin);
  const bool decided = WaitUntil(
      patience, [&] { return relay.Status("unsettled") == 0 && relay.Status("pending") == 0; });
  if (decided) return true;
  relay.scene().Expect(false, std::to_string(relay.Status("unsettled")) + " events and " +
                                  std::to_string(relay.Status("pending")) +
                                  " deliveries are undecided long after their schedules");
  CloseBooks(relay, {.drained = false, .dead_max = INT64_MAX});
  return false;
}

// ---- How each was classed

// What `relayctl dlq list` says of an endpoint's dead letters: how many there are of each kind.
using Deaths = std::map<std::string, int64_t>;

std::string TextOf(const std::string& line, const std::string& name) {
  const std::string mark = "\"" + name + "\":";
  const size_t at = line.find(mark);
  if (at == std::string::npos) return "";
  const size_t begin = at + mark.size();
  const std::string value = line.substr(begin, line.find_first_of(",}", begin) - begin);
  return value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
}

std::map<std::string, Deaths> DeathsByEndpoint(Installation& relay) {
  std::istringstream lines(relay.Relayctl({"dlq", "list", "--json"}).output);
  std::map<std::string, Deaths> deaths;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('{')) continue;
    const std::string name = TextOf(line, "endpoint");
    ++deaths[name.substr(name.find('/') + 1)]
            [TextOf(line, "reason") + " " + TextOf(line, "last") + " " + TextOf(line, "status")];
  }
  return deaths;
}

std::set<std::string> ExpectedDeaths(const HostileBehaviour& behaviour) {
  const std::string last = std::string(behaviour.last) + " " + std::to_string(behaviour.status);
  switch (behaviour.outcome) {
    case HostileOutcome::kDelivered:
      return {};
    case HostileOutcome::kRetriedUntilDead:
      return {"attempts_exhausted " + last};
    case HostileOutcome::kDeadAtOnce:
      // Who said 410 is disabled, and what comes later dies without an attempt.
      return {std::string(behaviour.last) + " " + last, "endpoint_disabled endpoint_disabled 0"};
  }
  return {};
}

void ExpectClassed(Installation& relay, const HostileBehaviour& behaviour, const Deaths& deaths,
                   int64_t events) {
  Scene& scene = relay.scene();
  const std::set<std::string> expected = ExpectedDeaths(behaviour);
  int64_t sum = 0;
  for (const auto& [kind, count] : deaths) {
    sum += count;
    scene.Expect(expected.count(kind) > 0,
                 std::string(behaviour.path) + ": " + std::to_string(count) + " died as " + kind);
  }
  int64_t owed = behaviour.outcome == HostileOutcome::kDelivered ? 0 : events;
  if (behaviour.path == kAlone) owed += kEventsForOne;
  scene.Expect(sum == owed, std::string(behaviour.path) + ": " + std::to_string(sum) +
                                " dead letters, expected " + std::to_string(owed));
}

void ExpectAllClassed(Installation& relay, const HostileReceiver& receiver, int64_t events) {
  Scene& scene = relay.scene();
  std::map<std::string, Deaths> deaths = DeathsByEndpoint(relay);
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    ExpectClassed(relay, behaviour, deaths[std::string(behaviour.path)], events);
    deaths.erase(std::string(behaviour.path));
  }
  for (const auto& [endpoint, kinds] : deaths) {
    scene.Expect(false, "dead letters of " + endpoint + ", which was well");
  }
  scene.Expect(receiver.Requests(kRedirectTarget) == 0, "a redirect was followed");
  scene.Expect(receiver.Requests("410") < events / 4,
               "410 was said " + std::to_string(receiver.Requests("410")) + " times");
}

// ---- The well ones

// How long the worker was ready to run and had to wait for a core.
int64_t WaitedForCoreMs(Installation& relay) {
  std::ifstream statistics("/proc/" + std::to_string(relay.program("worker-1").pid()) +
                           "/schedstat");
  int64_t ran_ns = 0;
  int64_t waited_ns = 0;
  statistics >> ran_ns >> waited_ns;
  return waited_ns / 1'000'000;
}

// From the acknowledgement to the first receipt, asked of the accountant for the well ones alone:
// of them the first receipt is the first attempt. `busy_ms` is what a busy machine may add.
void ExpectPromptAtWellOnes(Installation& relay, int64_t busy_ms) {
  Scene& scene = relay.scene();
  std::vector<std::string> arguments = {"verify", "--json", "--sent", relay.sent_log()};
  for (const char* name : kSinks) {
    arguments.insert(arguments.end(), {"--received", relay.path(std::string(name) + ".jsonl")});
  }
  const Account account(relay.Relayctl(arguments).output);
  const int64_t p99_ms = account.Number("acked_to_receipt_p99_us") / 1000;
  scene.Expect(account.Number("delivered") > 0, "verify of the well ones: " + account.json());
  scene.Expect(p99_ms < kHealthyP99MsMax + busy_ms,
               "the well ones wait up to " + std::to_string(p99_ms) + " ms (p99)");
  scene.Worst("healthy_p99_ms", p99_ms);
}

// ---- Redrive

bool IsHealed(const ChaosEndpoint& endpoint) {
  return std::find(std::begin(kHealed), std::end(kHealed), endpoint.id) != std::end(kHealed);
}

// Points some of the hostile ones to a well sink and puts their dead letters back: each must arrive
// there.
void HealAndRedrive(Installation& relay, std::vector<ChaosEndpoint> endpoints, int64_t events) {
  const int port = relay.StartSink(kHealedSink);
  for (ChaosEndpoint& endpoint : endpoints) {
    if (!IsHealed(endpoint)) continue;
    endpoint.port = port;
    endpoint.scheme_host = "http://127.0.0.1";
  }
  Scene& scene = relay.scene();
  const ProgramRun enabled = relay.Relayctl({"endpoint", "enable", "acme/410"});
  scene.Expect(enabled.status == 0, "endpoint enable: " + enabled.output);
  const double version = relay.Metric("worker-1", "relay_catalog_version");
  relay.Apply(endpoints);
  // What is redriven before the worker has heard of both is delivered by the old terms.
  scene.Expect(
      WaitUntil(Seconds(10),
                [&] { return relay.Metric("worker-1", "relay_catalog_version") > version; }),
      "the worker does not load the new catalog");
  for (const std::string_view name : kHealed) {
    const ProgramRun redriven =
        relay.Relayctl({"dlq", "redrive", "--endpoint", "acme/" + std::string(name)});
    scene.Expect(redriven.status == 0, "dlq redrive: " + redriven.output);
  }
  scene.Expect(relay.Drained(), "what was redriven does not drain");
  const auto expected = static_cast<int64_t>(std::size(kHealed)) * events + kEventsForOne;
  scene.Expect(relay.Received(kHealedSink) == expected,
               std::to_string(relay.Received(kHealedSink)) + " of " + std::to_string(expected) +
                   " redriven dead letters arrived");
}

// Each event is dead at each endpoint that is neither well nor healed.
int64_t DeadAtMost(int64_t events) {
  int64_t endpoints = -static_cast<int64_t>(std::size(kHealed));
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    if (behaviour.outcome != HostileOutcome::kDelivered) ++endpoints;
  }
  return endpoints * events;
}

}  // namespace

void PlayHostileReceivers(Scene& scene) {
  Installation::Options options;
  // Redis lives: what is measured is the receivers' doing and not the disk's.
  options.durability = "everysec";
  Installation relay(scene, options);
  std::vector<ChaosEndpoint> endpoints = StartWellOnes(relay);
  const std::string log = relay.path("hostile.jsonl");
  const HostileReceiver receiver(log, Installation::SecretOf(kHealedSink));
  relay.AddReceivedLog(log);
  const std::vector<ChaosEndpoint> hostile = HostileOnes(receiver);
  endpoints.insert(endpoints.end(), hostile.begin(), hostile.end());
  relay.Apply(endpoints);
  relay.StartBroker("broker-1");
  // Those who hang are parted from their event well before they time out.
  relay.StartWorker("worker-1", {{}, {"RELAY_WORKER_SPLIT_AFTER=250ms"}});

  const int events = scene.Sized(90, 900);
  const int64_t ack_p99_ms = PlayLoad(relay, events);
  if (!AllDecided(relay)) return;
  ExpectSmall(relay);
  // In the small size the machine may have much else to do, which acknowledgements tell of, too:
  // they have nothing to do with receivers.
  ExpectPromptAtWellOnes(
      relay, scene.Sized<int64_t>(2 * ack_p99_ms + WaitedForCoreMs(relay), /*long_one=*/0));
  ExpectAllClassed(relay, receiver, events);
  HealAndRedrive(relay, endpoints, events);

  BookRules rules;
  rules.dead_max = DeadAtMost(events);
  CloseBooks(relay, rules);
}

}  // namespace relay

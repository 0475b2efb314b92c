// Every receiver is down and Redis has little memory: brokers refuse at their line, or, where conf
// lets them go to the brim, Redis does; a worker begins in a Redis that holds more than it may; and
// when the receivers are back, at other addresses, all of it comes out again.

#include <algorithm>
#include <string>
#include <vector>

#include "relay/redis_facts.h"
#include "relay/stream_layout.h"
#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"
#include "tests/support/raw_client.h"
#include "tests/support/sync_redis.h"

namespace relay {

namespace {

constexpr int kPartitions = 16;
// Nobody listens there.
constexpr int kRefusingPort = 9;
constexpr double kLine = 0.85;
// Brokers look at Redis's memory five times a second, workers have yet to write down what they owe
// of the last events that were let in, and what is read takes room on its way.
constexpr double kLineHeld = 0.93;
// The dead owner's lease, and the next one's look.
constexpr Millis kTakeOverWithin{7000};

// ---- What Redis holds

struct Holdings {
  int64_t used = 0;
  int64_t events = 0;
  int64_t payload = 0;  // Bytes of the events' fields, names and values.
  int64_t owed = 0;     // Deliveries that wait or are dead.
  int64_t failed = 0;   // Deliveries with a history of attempts.
};

class Ledger {
 public:
  explicit Ledger(Installation& relay)
      : scene_(relay.scene()), redis_(relay.redis().socket_path()) {
    scene_.Require(redis_.Connect(), "no connection to Redis");
  }

  double Share() {
    const RedisFacts facts = Facts();
    return static_cast<double>(facts.used_memory) / static_cast<double>(facts.maxmemory);
  }
  Holdings Count() {
    Holdings held;
    for (const PartitionKeys& keys : AllPartitionKeys(kPartitions)) Add(keys, held);
    held.used = Facts().used_memory;
    return held;
  }
  // Events that were let in and are not settled.
  int64_t Unsettled() {
    int64_t events = 0;
    for (const PartitionKeys& keys : AllPartitionKeys(kPartitions)) {
      events += Ask(RedisCommand("XLEN").Arg(keys.normal)).integer -
                Ask(RedisCommand("HLEN").Arg(keys.ref)).integer;
    }
    return events;
  }
  int64_t Dead() {
    int64_t dead = 0;
    for (const PartitionKeys& keys : AllPartitionKeys(kPartitions)) {
      const RedisValue count = Ask(RedisCommand("HGET").Arg(keys.counters).Arg("dead"));
      if (count.is_text()) dead += std::stoll(count.text);
    }
    return dead;
  }
  // What the logs of attempts take, which have a bound of their own and are for people alone.
  int64_t AttemptLogs() {
    int64_t bytes = 0;
    for (const PartitionKeys& keys : AllPartitionKeys(kPartitions)) {
      const RedisValue used = Ask(
          RedisCommand("MEMORY").Arg("USAGE").Arg(keys.AttemptLog("acme")).Arg("SAMPLES").Arg("0"));
      if (used.is_integer()) bytes += used.integer;
    }
    return bytes;
  }
  // From now on Redis may have less than it has.
  void Shrink() {
    Ask(RedisCommand("CONFIG")
            .Arg("SET")
            .Arg("maxmemory")
            .Arg(std::to_string(Facts().used_memory * 9 / 10)));
  }

 private:
  RedisValue Ask(const RedisCommand& command) {
    Result<RedisValue> reply = redis_.Command(command);
    scene_.Require(reply.status(), "Redis does not answer");
    return *std::move(reply);
  }
  RedisFacts Facts() {
    RedisCommand info("INFO");
    for (const std::string_view section : kFactSections) info.Arg(section);
    Result<RedisFacts> facts = ParseRedisFacts(Ask(info).text);
    scene_.Require(facts.status(), "INFO cannot be read");
    return *std::move(facts);
  }
  void Add(const PartitionKeys& keys, Holdings& held) {
    held.failed += Ask(RedisCommand("HLEN").Arg(keys.history)).integer;
    for (const RedisValue& owed : Ask(RedisCommand("HVALS").Arg(keys.ref)).items) {
      held.owed += std::stoll(owed.text);
    }
    for (const RedisValue& entry :
         Ask(RedisCommand("XRANGE").Arg(keys.normal).Arg("-").Arg("+")).items) {
      ++held.events;
      for (const RedisValue& field : entry.items.at(1).items) {
        held.payload += static_cast<int64_t>(field.text.size());
      }
    }
  }

  Scene& scene_;
  SyncRedis redis_;
};

// ---- The relay

// A schedule that outlives the round, and one that is soon at its end.
constexpr const char* kPatient =
    R"(["1s", "2s", "4s", "4s", "4s", "4s", "4s", "4s", "4s", "4s", "4s", "4s"])";
constexpr const char* kImpatient = R"(["500ms", "500ms"])";

ChaosEndpoint EndpointAt(const std::string& name, int port, const std::string& schedule) {
  return {name, port,
          "in_flight_max = 200\nbreaker = { failures = 0, share = 0 }\nretry = { schedule = " +
              schedule + " }\n" + Installation::SigningOf(name)};
}

void PointTo(Installation& relay, int port_a, int port_b) {
  relay.Apply({EndpointAt("a", port_a, kPatient), EndpointAt("b", port_b, kImpatient)});
}

double Refused(Installation& relay, const std::string& reason) {
  return relay.Metric("broker-1", "relay_refused_total{reason=\"" + reason + "\",source=\"demo\"}");
}

int64_t Percent(double share) {
  return static_cast<int64_t>(share * 100 + 0.5);
}

// Sends callbacks; returns the largest share of its memory that Redis had in use meanwhile.
double Fill(Installation& relay, Ledger& ledger, const std::vector<std::string>& how) {
  std::vector<std::string> options = {"--connections", "16",  "--streams", "50",
                                      "--body-bytes",  "3000"};
  options.insert(options.end(), how.begin(), how.end());
  auto load = relay.Load(options);
  double most = 0;
  while (load->running()) {
    most = std::max(most, ledger.Share());
    Pass(Millis(10));
  }
  return most;
}

void AwaitAllRead(Scene& scene, Ledger& ledger) {
  scene.Expect(WaitUntil(Seconds(20), [&ledger] { return ledger.Unsettled() == 0; }),
               "the worker does not settle what it reads");
}

// ---- The acts

void FillToTheLine(Installation& relay, Ledger& ledger) {
  Scene& scene = relay.scene();
  // Fast to where it gets close, then so slowly that a look comes every percent or so.
  Fill(relay, ledger, {"--rate", "2000", "--count", scene.Sized("5300", "16000")});
  double most = Fill(relay, ledger, {"--rate", "300", "--duration", scene.Sized("4s", "16s")});
  AwaitAllRead(scene, ledger);
  most = std::max(most, ledger.Share());
  scene.Worst("used_at_the_line_percent", Percent(most));
  scene.Expect(most >= kLine, "the load did not reach the line");
  scene.Expect(most <= kLineHeld, std::to_string(Percent(most)) + " % of maxmemory were in use");
  scene.Expect(Refused(relay, "memory_full") > 0, "nothing was refused at the line");
  scene.Expect(Refused(relay, "store_refused") == 0, "Redis refused before the broker did");
}

void WeighEvents(Scene& scene, const Holdings& empty, const Holdings& held) {
  if (held.events == 0) scene.Abandon("nothing is held");
  const int64_t allowed = (held.payload * 5 / 4 + 170 * held.owed + 90 * held.failed) / held.events;
  const int64_t each = (held.used - empty.used) / held.events;
  scene.Worst("bytes_per_pending_event", each);
  scene.Worst("bytes_allowed_per_event", allowed + 210);
  scene.Expect(each <= allowed + 210, std::to_string(each) +
                                          " bytes a pending event, allowed are " +
                                          std::to_string(allowed + 210));
}

// A broker that conf lets go to the brim: there Redis itself refuses.
void FillToTheBrim(Installation& relay, Ledger& ledger) {
  Scene& scene = relay.scene();
  relay.StartBroker("broker-1", {{}, {"RELAY_BROKER_REFUSE_AT=1"}});
  scene.Worst("used_at_the_brim_percent",
              Percent(Fill(relay, ledger, {"--rate", "1000", "--duration", "2s"})));
  scene.Expect(Refused(relay, "store_refused") > 0, "Redis never refused to store");
}

// What a broker with the shipped line says of a Redis that is over it.
void ExpectRefusal(Installation& relay) {
  relay.StartBroker("broker-1");
  RawClient client = RawClient::Connect(relay.broker_port());
  client.Send("POST /in/demo HTTP/1.1\r\nHost: chaos\r\nContent-Length: 2\r\n\r\n{}");
  WaitUntil(Seconds(5), [&client] { return client.Look().Count("}") > 0 || client.closed(); });
  relay.scene().Expect(client.Count(" 503 ") == 1 && client.Count("Retry-After: ") == 1,
                       "a full Redis makes the broker say: " + client.received());
}

void TakeOverWhenFull(Installation& relay, MonoTime killed_at) {
  Scene& scene = relay.scene();
  const SystemClock clock;
  relay.StartAgain("worker-1");
  relay.AwaitReady("worker-1");
  const bool taken = WaitUntil(Seconds(15), [&relay] {
    return relay.Metric("worker-1", "relay_partitions_owned") == kPartitions;
  });
  const auto took = std::chrono::ceil<Millis>(clock.Now() - killed_at);
  scene.Worst("takeover_when_full_ms", took.count());
  scene.Expect(taken && took <= kTakeOverWithin,
               "in a full Redis the take-over took " + std::to_string(took.count()) + " ms");
}

// What `b` was owed is dead by now, and nothing else is.
void AwaitDeadLetters(Scene& scene, Ledger& ledger) {
  AwaitAllRead(scene, ledger);
  const int64_t events = ledger.Count().events;
  scene.Expect(
      WaitUntil(Seconds(20), [&] { return ledger.Dead() == events; }),
      std::to_string(ledger.Dead()) + " dead letters of " + std::to_string(events) + " events");
}

}  // namespace

void PlayMemoryLimit(Scene& scene) {
  Installation::Options options;
  options.maxmemory = scene.Sized("32mb", "96mb");
  Installation relay(scene, options);
  PointTo(relay, kRefusingPort, relay.StartSink("b", {"--status", "500"}));
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  Ledger ledger(relay);
  const Holdings empty = ledger.Count();

  FillToTheLine(relay, ledger);
  WeighEvents(scene, empty, ledger.Count());

  const SystemClock clock;
  const MonoTime killed_at = clock.Now();
  relay.Kill("worker-1");
  scene.LogFault("kill", "worker-1");
  FillToTheBrim(relay, ledger);
  ledger.Shrink();
  ExpectRefusal(relay);
  TakeOverWhenFull(relay, killed_at);
  AwaitDeadLetters(scene, ledger);

  PointTo(relay, relay.StartSink("a"), relay.StartSink("b"));
  const ProgramRun redrive = relay.Relayctl({"dlq", "redrive", "--endpoint", "b"});
  scene.Expect(redrive.status == 0, "dlq redrive: " + redrive.output);
  const Account account = CloseBooks(relay);
  // The memory of repeats lasts for half an hour.
  const int64_t left = ledger.Count().used - ledger.AttemptLogs() - empty.used;
  scene.Worst("bytes_left_per_event", left / std::max<int64_t>(1, account.Number("acked")));
  scene.Expect(left <= 210 * account.Number("acked") + 1'000'000,
               std::to_string(left) + " bytes of Redis stay in use");
}

}  // namespace relay

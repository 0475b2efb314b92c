// Redis goes away in the ways in which a Redis does: restarted, frozen, loading for long; or lives
// on while every connection to it breaks.

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"
#include "tests/support/sync_redis.h"

namespace relay {

namespace {

// After Redis is ready again, the first 2xx must come within 2 s; in the small size others may keep
// the machine busy for one more.
constexpr Millis kResumeWithin{2000};
constexpr Millis kResumeWithinSmall{3000};
// What has not come by then will not come.
constexpr Millis kResumePatience{10000};
constexpr int kCuts = 12;
// How long nothing may move: longer than a lease, and than the two looks at a pending list that it
// takes until what nobody holds is taken up.
constexpr Millis kStuck{15000};

// While Redis is away callbacks are refused for the time being, never for good: a provider that is
// told 4xx does not come again.
void ExpectNoFinalRefusal(Installation& relay, const std::string& after) {
  std::ifstream sent(relay.sent_log());
  for (std::string line; std::getline(sent, line);) {
    relay.scene().Expect(line.find("\"status\":4") == std::string::npos,
                         "a good callback was refused for good when " + after + ": " + line);
  }
}

// Looks how long it takes until a callback is acknowledged.
void AwaitAcknowledgement(Installation& relay, const std::string& after) {
  Scene& scene = relay.scene();
  const SystemClock clock;
  const MonoTime ready = clock.Now();
  const double before = relay.Metric("broker-1", "relay_accepted_total");
  const bool came = WaitUntil(
      kResumePatience, [&] { return relay.Metric("broker-1", "relay_accepted_total") > before; });
  const auto took = std::chrono::ceil<Millis>(clock.Now() - ready);
  scene.Expect(came, "no callback is acknowledged after " + after);
  scene.Expect(
      took <= scene.Sized(kResumeWithinSmall, kResumeWithin),
      "acknowledgements came back only " + std::to_string(took.count()) + " ms after " + after);
  scene.Worst("resume_ms", took.count());
  ExpectNoFinalRefusal(relay, after);
}

void RestartRedis(Installation& relay) {
  const int64_t from_us = WallMicros();
  relay.redis().Stop();
  Pass(relay.scene().Between(Millis(0), Millis(1500)));
  relay.StartRedis();
  relay.scene().LogFault("restart", "redis", from_us, WallMicros());
  AwaitAcknowledgement(relay, "Redis was restarted");
}

void FreezeRedis(Installation& relay, Millis time) {
  const int64_t from_us = WallMicros();
  relay.redis().Freeze();
  Pass(time);
  relay.redis().Thaw();
  relay.scene().LogFault("freeze", "redis", from_us, WallMicros());
  AwaitAcknowledgement(relay, "Redis was thawed");
}

// Replies that were on their way are lost, and Redis knows nothing of that.
void CutConnections(Installation& relay) {
  const int64_t from_us = WallMicros();
  SyncRedis redis(relay.redis().socket_path());
  relay.scene().Require(redis.Connect(), "Redis cannot be asked");
  for (int cut = 0; cut < kCuts; ++cut) {
    Pass(relay.scene().Between(Millis(50), Millis(150)));
    const auto killed = redis.Command(RedisCommand("CLIENT").Arg("KILL").Arg("TYPE").Arg("normal"));
    relay.scene().Expect(killed.ok(), "Redis does not cut its connections");
  }
  relay.scene().LogFault("cut connections", "redis", from_us, WallMicros());
  AwaitAcknowledgement(relay, "connections were cut");
}

}  // namespace

void PlayRedisTrouble(Scene& scene) {
  Installation::Options options;
  // Each key that is loaded takes so many microseconds: LOADING lasts long enough to be met.
  options.redis.lines = {"key-load-delay 200", "loading-process-events-interval-bytes 1024"};
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a", "b", "c"}, "timeout = \"2s\"\nin_flight_max = 100");
  relay.StartBroker("broker-1");
  for (const char* name : {"worker-1", "worker-2"}) {
    // A retry whose taking was lost is due again as soon as its lease is over.
    relay.StartWorker(name, {{}, {"RELAY_WORKER_LEASE_MARGIN=1s"}});
  }
  auto load = relay.Load(
      {"--rate", "1000", "--duration", "10m", "--retry", "--connections", "32", "--streams", "50"});
  const int rounds = scene.Sized(1, 3);
  for (int i = 0; i < rounds; ++i) {
    Pass(scene.Between(Millis(300), Millis(800)));
    RestartRedis(relay);
    Pass(scene.Between(Millis(300), Millis(800)));
    FreezeRedis(relay, scene.Between(Millis(300), Millis(1500)));
    Pass(scene.Between(Millis(300), Millis(600)));
    // Longer than every command's deadline, and than the leases.
    FreezeRedis(relay, scene.Between(Millis(3000), Millis(scene.Sized(4500, 6000))));
    // Last, for owners that have lost their leases would come upon what they overlook here.
    CutConnections(relay);
  }
  // For as long as there is trouble, however long a busy machine takes for it.
  load->Signal(SIGINT);
  relay.AwaitLoad(*load, Seconds(60));
  relay.ExpectAllRunning();
  BookRules rules;
  rules.stuck = kStuck;
  CloseBooks(relay, rules);
}

}  // namespace relay

// The power under Redis goes: with its processes all goes that was not synced, or any part of that.
// What was acknowledged under `always` must be there all the same, on a disk whose sync takes 1.5 s
// too, and in the midst of a rewrite; under `everysec` what is lost must be young.

#include <functional>
#include <memory>
#include <string>

#include "tests/chaos/books.h"
#include "tests/chaos/disk/disk_control.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"
#include "tests/support/sync_redis.h"

namespace relay {

namespace {

constexpr Millis kSlowSync{1500};
// Redis begins a sync once a second, and while one goes on it takes writes for up to two.
constexpr int64_t kEverysecMayLoseUs = 2'000'000;
// On a slow disk: what was written during one sync stands when the next one is over.
constexpr int64_t kEverysecSlowMayLoseUs = 1'000'000 + 2 * 1'500'000;

class Outage {
 public:
  Outage(Installation& relay, DiskControl& disk, int64_t may_lose_us)
      : relay_(relay), scene_(relay.scene()), disk_(disk), may_lose_us_(may_lose_us) {}

  void Cut() { Cut(may_lose_us_); }
  // Somebody has told Redis to sync no more. Until brokers know of it they acknowledge what the cut
  // may take; from then on they must not.
  void CutWithSyncsOff() {
    const int64_t from_us = WallMicros();
    Tell(RedisCommand("CONFIG").Arg("SET").Arg("appendfsync").Arg("no"));
    scene_.Expect(WaitUntil(Seconds(5), [&] { return !relay_.Ready("broker-1"); }),
                  "the broker is ready although Redis syncs nothing");
    // What was on its way to Redis then is still acknowledged.
    scene_.Expect(
        WaitUntil(Seconds(5),
                  [&] { return relay_.Metric("broker-1", "relay_stores_in_flight") == 0; }),
        "stores stay in flight");
    const double known = Accepted();
    Pass(scene_.Between(Millis(300), Millis(900)));
    scene_.Expect(Accepted() == known, "callbacks are acknowledged although Redis syncs nothing");
    Cut(/*may_lose_us=*/WallMicros() - from_us);
  }
  // In the midst of a rewrite: files are written, renamed and removed.
  void CutDuringRewrite() {
    Tell(RedisCommand("BGREWRITEAOF"));
    Pass(scene_.Between(Millis(0), Millis(150)));
    Cut();
  }
  // With syncs under way that take long: a command that arrives during one waits for the end of it
  // and of the next, which may be longer than its deadline, so that hardly anything is
  // acknowledged. What is must be on the disk.
  void CutOnASlowDisk() {
    const int64_t from_us = WallMicros();
    disk_.SetSyncDelay(kSlowSync);
    const double before = Accepted();
    WaitUntil(Seconds(4), [&] { return Accepted() > before; });
    Pass(scene_.Between(Millis(0), kSlowSync));
    scene_.Count("acked_on_slow_disk", static_cast<int64_t>(Accepted() - before));
    scene_.LogFault("slow disk", "redis", from_us, WallMicros());
    Cut(may_lose_us_ > 0 ? kEverysecSlowMayLoseUs : 0);
  }

 private:
  void Cut(int64_t may_lose_us) {
    const int64_t from_us = WallMicros();
    relay_.redis().KillGroup9();
    disk_.SetSyncDelay(Millis(0));
    const auto cut = disk_.CutPower(scene_.random());
    if (!cut.ok()) scene_.Abandon("the cut failed: " + cut.status().text());
    relay_.StartRedis();
    relay_.AwaitReady("broker-1");
    scene_.LogFault("power cut", "redis", from_us, WallMicros(), may_lose_us);
    scene_.Count("power_cuts", 1);
    scene_.Count("files_torn", cut->files_torn);
    scene_.Count("names_undone", cut->names_undone);
    scene_.Count("bytes_unsynced_and_lost", cut->bytes_lost);
  }
  void Tell(const RedisCommand& command) {
    SyncRedis redis(relay_.redis().socket_path());
    scene_.Require(redis.Connect(), "no connection to Redis");
    const auto reply = redis.Command(command);
    scene_.Expect(reply.ok() && !reply->is_error(), "Redis refuses what it is told");
  }
  double Accepted() { return relay_.Metric("broker-1", "relay_accepted_total"); }

  Installation& relay_;
  Scene& scene_;
  DiskControl& disk_;
  const int64_t may_lose_us_;
};

void Play(Scene& scene, const std::string& durability, int64_t may_lose_us,
          const std::function<void(Outage&)>& acts) {
  const std::string root = scene.folder() + "/disk";
  auto disk = DiskControl::Create(root, scene.folder() + "/disk-state");
  if (!disk.ok()) scene.Abandon(disk.status().text());
  Installation::Options options;
  options.durability = durability;
  options.redis.folder = root;
  options.redis.environment = (*disk)->environment();
  Installation relay(scene, options);
  relay.StartSinksAndApply({"a", "b", "c"}, "in_flight_max = 100\ntimeout = \"2s\"");
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  auto load = relay.Load({"--rate", "800", "--duration", scene.Sized("9s", "22s"), "--retry",
                          "--connections", "32", "--streams", "50", "--body-bytes", "2000"});
  Outage outage(relay, **disk, may_lose_us);
  const int turns = scene.Sized(1, 2);
  for (int turn = 0; turn < turns; ++turn) acts(outage);
  relay.AwaitLoad(*load, Seconds(60));
  relay.ExpectAllRunning();
  const Account account = CloseBooks(relay);
  scene.Worst("lost_in_cut_oldest_ms", account.Number("lost_in_cut_oldest_ms"));
}

void CutInEveryWay(Scene& scene, Outage& outage) {
  Pass(scene.Between(Millis(500), Millis(1500)));
  outage.Cut();
  Pass(scene.Between(Millis(500), Millis(1000)));
  outage.CutDuringRewrite();
  Pass(scene.Between(Millis(300), Millis(600)));
  outage.CutOnASlowDisk();
}

}  // namespace

void PlayPowerCuts(Scene& scene) {
  Play(scene, "always", 0, [&scene](Outage& outage) { CutInEveryWay(scene, outage); });
}

void PlayPowerCutsEverysec(Scene& scene) {
  Play(scene, "everysec", kEverysecMayLoseUs,
       [&scene](Outage& outage) { CutInEveryWay(scene, outage); });
}

void PlayPowerCutsWithSyncsOff(Scene& scene) {
  Play(scene, "always", 0, [&scene](Outage& outage) {
    Pass(scene.Between(Millis(500), Millis(1500)));
    outage.CutWithSyncsOff();
    Pass(scene.Between(Millis(300), Millis(600)));
    outage.CutWithSyncsOff();
  });
}

}  // namespace relay

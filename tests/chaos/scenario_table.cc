#include "tests/chaos/scenario_table.h"

#include <string>

namespace relay {

namespace {

const Scenario kScenarios[] = {
    {1, "kills", "kill -9 of brokers, workers and Redis under load", &PlayKills, 50},
    {2, "power", "the power goes, and with it all that was not synced", &PlayPowerCuts, 34},
    {2, "power-everysec", "the same with everysec, which may lose two seconds",
     &PlayPowerCutsEverysec, 34},
    {2, "power-nosync", "Redis is told to sync no more, and the power goes",
     &PlayPowerCutsWithSyncsOff, 5},
    {3, "torn-foreign", "the file's last write torn twice in a row, under a Redis that truncates",
     &PlayTornTailOfForeignRedis, 5},
    {3, "torn", "the same under a Redis that refuses a torn file", &PlayTornTail, 5},
    {3, "cut-tail", "the disk has lost the last 4 KiB of what it had confirmed", &PlayCutTail, 20},
    {4, "redis", "Redis restarted, frozen, loading for long", &PlayRedisTrouble, 30},
    {5, "full-disk", "the disk under Redis fills up", &PlayFullDisk, 10},
    {5, "full-disk-everysec", "the same with everysec", &PlayFullDiskEverysec, 10},
    {6, "memory", "receivers down, Redis full to the brim, a worker started in it",
     &PlayMemoryLimit, 10, /*alone=*/true},
    {7, "partitions", "the ways between programs, Redis and receivers break in turn",
     &PlayPartitions, 20},
    {8, "frozen", "an owner frozen past its lease, then awake", &PlayFrozenOwner, 25},
    {9, "hostile", "half of all receivers behave as badly as can be", &PlayHostileReceivers, 10,
     /*alone=*/true, Seconds(60), Seconds(400)},
    {12, "descriptors", "more clients and attempts than descriptors", &PlayDescriptors, 10},
    {13, "slow-clients", "clients that hold on to connections in every way", &PlaySlowClients, 10,
     /*alone=*/true},
    {14, "bad-traffic", "requests that are wrong in every way, amid good ones", &PlayBadTraffic, 10,
     /*alone=*/true},
    {15, "clock", "the clock of a worker or a broker is set", &PlayClockJumps, 20},
    {15, "clock-redis", "Redis's clock trembles and goes back", &PlayClockJumpsOfRedis, 20},
    {17, "rolling", "restarts, joins and changes that are no faults", &PlayRolling, 20},
    {18, "garble", "Redis's replies replaced by errors and nonsense, cut, late, or swallowed",
     &PlayGarble, 20},
    {19, "soak", "half load for long, with a fault now and then", &PlaySoak, 1, /*alone=*/false,
     Seconds(60), Seconds(3 * 3600)},
    {21, "overload", "twice as many callbacks as can be stored", &PlayOverload, 10, /*alone=*/true},
    {22, "recovery", "how soon all goes on after a worker's or Redis's death", &PlayRecovery, 20,
     /*alone=*/true},
    {23, "lanes", "caps, rates and a breaker while workers and Redis die, join and leave",
     &PlayLanes, 10},
};

}  // namespace

std::span<const Scenario> Scenarios() {
  return kScenarios;
}

std::vector<const Scenario*> FindScenarios(std::string_view text) {
  std::vector<const Scenario*> found;
  for (const Scenario& scenario : kScenarios) {
    if (text == scenario.name || text == std::to_string(scenario.number)) {
      found.push_back(&scenario);
    }
  }
  return found;
}

}  // namespace relay

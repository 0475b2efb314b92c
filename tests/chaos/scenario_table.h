#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tests/chaos/scene.h"

namespace relay {

// A way to hurt a relay, and what must hold all the same. `run` plays one round; it may end by
// Scene::Abandon. Variants of one scenario share its number.
struct Scenario {
  int number;
  std::string_view name;
  std::string_view claim;
  std::function<void(Scene& scene)> run;
  int long_rounds;  // Rounds of the long size; the small size has one.
  // Measures latencies or memory: nothing else may run beside it.
  bool alone = false;
  Seconds ci_patience{60};  // A round that takes longer is a breach.
  Seconds long_patience{180};
};

// In the order of their numbers.
std::span<const Scenario> Scenarios();
// By name, or all that share a number; empty when there is none.
std::vector<const Scenario*> FindScenarios(std::string_view text);

void PlayBadTraffic(Scene& scene);
void PlayClockJumps(Scene& scene);
void PlayClockJumpsOfRedis(Scene& scene);
void PlayCutTail(Scene& scene);
void PlayDescriptors(Scene& scene);
void PlayFrozenOwner(Scene& scene);
void PlayFullDisk(Scene& scene);
void PlayFullDiskEverysec(Scene& scene);
void PlayGarble(Scene& scene);
void PlayHostileReceivers(Scene& scene);
void PlayKills(Scene& scene);
void PlayLanes(Scene& scene);
void PlayMemoryLimit(Scene& scene);
void PlayOverload(Scene& scene);
void PlayPartitions(Scene& scene);
void PlayPowerCuts(Scene& scene);
void PlayPowerCutsEverysec(Scene& scene);
void PlayPowerCutsWithSyncsOff(Scene& scene);
void PlayRecovery(Scene& scene);
void PlayRedisTrouble(Scene& scene);
void PlayRolling(Scene& scene);
void PlaySlowClients(Scene& scene);
void PlaySoak(Scene& scene);
void PlayTornTail(Scene& scene);
void PlayTornTailOfForeignRedis(Scene& scene);

}  // namespace relay

#include <benchmark/benchmark.h>

#include "bench/micro/steady_state.h"
#include "relay/random.h"
#include "workers/settlement.h"

// What becomes of a delivery after an attempt.

namespace relay {
namespace {

void Run(benchmark::State& state, AttemptOutcome outcome, int attempts_made) {
  Endpoint endpoint;
  endpoint.retry_schedule = DefaultRetrySchedule();
  AttemptFacts facts;
  facts.outcome = outcome;
  facts.attempts_made = attempts_made;
  facts.accepted = WallTime(Seconds(1'700'000'000));
  facts.now = facts.accepted + Seconds(5);
  Random random(7);
  RunSteadily(state, [&] { benchmark::DoNotOptimize(DecideSettlement(endpoint, facts, random)); });
}

void BM_SettleAccepted(benchmark::State& state) {
  Run(state, AttemptOutcome::kAccepted, 1);
}
BENCHMARK(BM_SettleAccepted);

void BM_SettleRetry(benchmark::State& state) {
  Run(state, AttemptOutcome::kTimedOut, 3);
}
BENCHMARK(BM_SettleRetry);

void BM_SettleDeadLetter(benchmark::State& state) {
  Run(state, AttemptOutcome::kTimedOut, 60);
}
BENCHMARK(BM_SettleDeadLetter);

}  // namespace
}  // namespace relay

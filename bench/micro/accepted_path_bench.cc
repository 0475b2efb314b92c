#include <benchmark/benchmark.h>

#include "bench/micro/accepted_path.h"
#include "bench/micro/steady_state.h"

// What a broker's accepted callback costs, whole. The time is the CPU time of the broker's turns,
// system calls included; one iteration is one callback on each connection.

namespace relay {
namespace {

void BM_AcceptedPath(benchmark::State& state) {
  AcceptedPath::Load load;
  load.connections = static_cast<int>(state.range(0));
  load.body_bytes = state.range(1);
  AcceptedPath path(load);
  // Until every buffer has met the longest of the callbacks.
  for (int i = 0; i < 1000; ++i) path.Round();
  AllocationCount made;
  for (auto _ : state) {
    const AcceptedPath::Cost cost = path.Round();
    state.SetIterationTime(std::chrono::duration<double>(cost.cpu).count());
    made += cost.allocations;
  }
  const int64_t callbacks = static_cast<int64_t>(state.iterations()) * load.connections;
  state.SetItemsProcessed(callbacks);
  ReportAllocations(state, made, callbacks);
}
BENCHMARK(BM_AcceptedPath)
    ->ArgNames({"connections", "body"})
    ->Args({1, 0})
    ->Args({16, 0})
    ->Args({64, 0})
    ->Args({16, 4096})
    ->Args({16, 65536})
    ->UseManualTime();

}  // namespace
}  // namespace relay

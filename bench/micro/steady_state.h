#pragma once

#include <benchmark/benchmark.h>

#include "bench/micro/allocations.h"

namespace relay {

// Shows `made`, divided by `operations`, beside the times: `allocs` is ours, `evbuffer_allocs` is
// libevent's (see AllocationCount).
inline void ReportAllocations(benchmark::State& state, const AllocationCount& made,
                              int64_t operations) {
  const auto each = [operations](int64_t count) {
    return static_cast<double>(count) / static_cast<double>(operations);
  };
  state.counters["allocs"] = each(made.ours);
  state.counters["evbuffer_allocs"] = each(made.libevent);
}

// The loop of a benchmark: times `operation`, and reports what it allocates once its buffers have
// grown.
template <typename Operation>
void RunSteadily(benchmark::State& state, Operation operation) {
  constexpr int kRoundsBefore = 100;
  for (int i = 0; i < kRoundsBefore; ++i) operation();
  const AllocationCount before = AllocationsOfThisThread();
  for (auto _ : state) operation();
  const auto operations = static_cast<int64_t>(state.iterations());
  ReportAllocations(state, AllocationsOfThisThread() - before, operations);
  state.SetItemsProcessed(operations);
}

}  // namespace relay

#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "relay/event.h"
#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"

// What becomes of a verified callback before it is sent to Redis: its id, and the XADD with all
// fields and the sum over them, as EventPublisher makes it.

namespace relay {
namespace {

void BM_DeriveEventId(benchmark::State& state) {
  const std::string dedupe_key(static_cast<size_t>(state.range(0)), 'k');
  std::string id;
  RunSteadily(state, [&] {
    DeriveEventId("demo", dedupe_key, id);
    benchmark::DoNotOptimize(id.data());
  });
}
BENCHMARK(BM_DeriveEventId)->ArgName("key")->Arg(33)->Arg(100);

void BM_PartitionOfEvent(benchmark::State& state) {
  const Event event = SampleEvent();
  RunSteadily(state, [&] {
    benchmark::DoNotOptimize(PartitionOf(event.tenant, event.ordering_key, event.id, 16));
  });
}
BENCHMARK(BM_PartitionOfEvent);

void BM_EncodeStoreCommand(benchmark::State& state) {
  const Event event = SampleEvent(state.range(0));
  const PartitionKeys keys = PartitionKeys::For(3, 16);
  RedisCommand command("XADD");
  RunSteadily(state, [&] {
    StoreEvent(keys, event, command);
    benchmark::DoNotOptimize(command.body().data());
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * event.body.size()));
}
BENCHMARK(BM_EncodeStoreCommand)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

}  // namespace
}  // namespace relay

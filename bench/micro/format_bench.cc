#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "workers/formats/delivery_bodies.h"

// What a format makes of a body for each attempt. `raw` makes nothing and is not here.

namespace relay {
namespace {

Endpoint EndpointOf(DeliveryFormat format, ContentMode mode = ContentMode::kBinary) {
  Endpoint endpoint;
  endpoint.format = format;
  endpoint.content_mode = mode;
  endpoint.signing_key = "customer-key";
  return endpoint;
}

void Run(benchmark::State& state, const Endpoint& endpoint) {
  const Event event = SampleEvent(state.range(0));
  const Source source = SampleSource();
  DeliveryBodies bodies;
  RunSteadily(state, [&] {
    FormatInput input{.event = event, .endpoint = endpoint};
    input.source = &source;
    input.now = WallTimeFromMicros(event.accepted_us);
    FormattedBody made;
    bodies.Make(input, made);
    benchmark::DoNotOptimize(made.own_body.data());
    benchmark::DoNotOptimize(made.headers.data());
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * event.body.size()));
}

void BM_FormatTencent(benchmark::State& state) {
  Run(state, EndpointOf(DeliveryFormat::kTencent));
}
void BM_FormatCloudEventsBinary(benchmark::State& state) {
  Run(state, EndpointOf(DeliveryFormat::kCloudEvents));
}
void BM_FormatCloudEventsStructured(benchmark::State& state) {
  Run(state, EndpointOf(DeliveryFormat::kCloudEvents, ContentMode::kStructured));
}
void BM_FormatNormalized(benchmark::State& state) {
  Run(state, EndpointOf(DeliveryFormat::kNormalized));
}
void BM_FormatNormalizedRedacted(benchmark::State& state) {
  Endpoint endpoint = EndpointOf(DeliveryFormat::kNormalized);
  endpoint.redact = {"relay_seq"};  // Which every sample has in its stream_param.
  Run(state, endpoint);
}
BENCHMARK(BM_FormatTencent)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);
BENCHMARK(BM_FormatCloudEventsBinary)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);
BENCHMARK(BM_FormatCloudEventsStructured)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);
BENCHMARK(BM_FormatNormalized)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);
BENCHMARK(BM_FormatNormalizedRedacted)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

}  // namespace
}  // namespace relay

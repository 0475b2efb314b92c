#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "broker/providers/registry.h"
#include "relay/check.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"

// Verification as the broker does it: one scan of the JSON, one MD5 for each key of the source, and
// the facts by which the event is routed and recognised.

namespace relay {
namespace {

void BM_VerifyTencent(benchmark::State& state) {
  const std::string body = SampleBody(state.range(0));
  Source source = SampleSource();
  // The matching key last, as while keys are being rotated.
  const auto keys = static_cast<size_t>(state.range(1));
  while (source.keys.size() < keys) source.keys.insert(source.keys.begin(), "another-key");
  const std::unique_ptr<Provider> provider = MakeProvider(source);
  HttpRequest request;
  request.body = body;
  const WallTime now = SystemClock().WallNow();
  CallbackFacts facts;
  RunSteadily(state, [&] {
    const Verdict verdict = provider->Verify(request, source, now, facts);
    RELAY_CHECK(verdict.authenticity == Authenticity::kAuthentic);
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_VerifyTencent)
    ->ArgNames({"body", "keys"})
    ->Args({0, 1})
    ->Args({0, 2})
    ->Args({4096, 1})
    ->Args({65536, 1});

// Its two halves.
void BM_ScanJson(benchmark::State& state) {
  const std::string body = SampleBody(state.range(0));
  JsonObject object;
  RunSteadily(state, [&] { RELAY_CHECK(object.Parse(body).ok()); });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_ScanJson)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

void BM_TencentMd5(benchmark::State& state) {
  TencentSignature signature;
  const std::vector<std::string> keys = {std::string(kSampleKey)};
  const std::string sign = signature.Sign(kSampleKey, "1703732078");
  RunSteadily(state, [&] { RELAY_CHECK(signature.Verify(keys, "1703732078", sign)); });
}
BENCHMARK(BM_TencentMd5);

}  // namespace
}  // namespace relay

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "relay/check.h"
#include "relay/webhook_signature.h"
#include "workers/formats/tencent_format.h"

// What a worker does to a body for each delivery of it.

namespace relay {
namespace {

void BM_SignStandardWebhook(benchmark::State& state) {
  const std::string body = SampleBody(state.range(0));
  const std::vector<std::string> secrets(static_cast<size_t>(state.range(1)),
                                         "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  auto signer = WebhookSigner::Create(secrets);
  RELAY_CHECK(signer.ok());
  std::string signature;
  RunSteadily(state, [&] {
    signature.clear();
    signer->AppendSignature("d29d6be9ccb8d3320255a13a02da1a83", 1703732078, body, signature);
    benchmark::DoNotOptimize(signature.data());
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_SignStandardWebhook)
    ->ArgNames({"body", "secrets"})
    ->Args({0, 1})
    ->Args({0, 2})
    ->Args({4096, 1})
    ->Args({65536, 1});

void BM_SignTencentFormat(benchmark::State& state) {
  const std::string body = SampleBody(state.range(0));
  TencentFormat format;
  RunSteadily(state, [&] {
    const Result<std::string> anew = format.Sign(body, "customer-key", 1703732078);
    RELAY_CHECK(anew.ok());
    benchmark::DoNotOptimize(anew->data());
  });
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_SignTencentFormat)->ArgName("body")->Arg(0)->Arg(4096)->Arg(65536);

}  // namespace
}  // namespace relay

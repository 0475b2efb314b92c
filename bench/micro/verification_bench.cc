#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "broker/providers/registry.h"
#include "relay/check.h"
#include "relay/hmac.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"
#include "relay/webhook_signature.h"

// Verification as the broker does it: one scan of the JSON, one MD5 for each key of the source, and
// the facts by which the event is routed and recognised; or one HMAC over the body.

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

// The kinds that sign by an HMAC, over a body as above. `kind` is the place in kHmacSources.
struct HmacSource {
  const char* provider;
  HmacAlgorithm algorithm;
};
constexpr HmacSource kHmacSources[] = {{"tencent-trtc", HmacAlgorithm::kSha256},
                                       {"standard-webhooks", HmacAlgorithm::kSha256},
                                       {"hmac", HmacAlgorithm::kSha1},
                                       {"hmac", HmacAlgorithm::kSha256},
                                       {"hmac", HmacAlgorithm::kSha512}};
constexpr char kWebhookSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Source HmacSampleSource(const HmacSource& kind) {
  Source source = SampleSource();
  source.provider = kind.provider;
  source.keys = {source.provider == "standard-webhooks" ? kWebhookSecret : "key"};
  source.hmac.header = "Sign";
  source.hmac.algorithm = kind.algorithm;
  source.hmac.encoding = SignatureEncoding::kBase64;
  return source;
}

std::string Base64Of(std::span<const uint8_t> bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  text.resize(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                              static_cast<int>(bytes.size())));
  return text;
}

// The headers of an authentic callback of `source`.
std::vector<std::pair<std::string, std::string>> SignedHeaders(const Source& source,
                                                               const std::string& body,
                                                               WallTime now) {
  if (source.provider == "standard-webhooks") {
    std::string signature;
    const int64_t seconds = SecondsSinceEpoch(now);
    WebhookSigner::Create(source.keys)->AppendSignature("msg", seconds, body, signature);
    return {{"webhook-id", "msg"},
            {"webhook-timestamp", std::to_string(seconds)},
            {"webhook-signature", signature}};
  }
  Hmac hmac(source.hmac.algorithm, source.keys.front());
  hmac.Update(body);
  return {{"Sign", Base64Of(hmac.Finish())}};
}

void BM_VerifyHmac(benchmark::State& state) {
  const HmacSource& kind = kHmacSources[state.range(0)];
  const std::string body = SampleBody(state.range(1));
  const Source source = HmacSampleSource(kind);
  const std::unique_ptr<Provider> provider = MakeProvider(source);
  const WallTime now = SystemClock().WallNow();
  const auto sent = SignedHeaders(source, body, now);
  std::vector<HttpHeader> headers = {{"Host", "relay.example"},
                                     {"Content-Type", "application/json"}};
  for (const auto& [name, value] : sent) headers.push_back({name, value});
  HttpRequest request;
  request.headers = headers;
  request.body = body;
  CallbackFacts facts;
  RunSteadily(state, [&] {
    const Verdict verdict = provider->Verify(request, source, now, facts);
    RELAY_CHECK(verdict.authenticity == Authenticity::kAuthentic);
  });
  state.SetLabel(source.provider);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_VerifyHmac)->ArgNames({"kind", "body"})->ArgsProduct({{0, 1, 2, 3, 4}, {0, 4096}});

// The yardstick: the same HMAC by OpenSSL's own one-shot call.
void BM_OpenSslHmac(benchmark::State& state) {
  const EVP_MD* digests[] = {EVP_sha1(), EVP_sha256(), EVP_sha512()};
  const EVP_MD* digest = digests[state.range(0)];
  const std::string body = SampleBody(state.range(1));
  unsigned char out[EVP_MAX_MD_SIZE];
  RunSteadily(state, [&] {
    unsigned size = 0;
    RELAY_CHECK(HMAC(digest, "key", 3, reinterpret_cast<const unsigned char*>(body.data()),
                     body.size(), out, &size) != nullptr);
  });
  state.SetLabel(EVP_MD_get0_name(digest));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_OpenSslHmac)->ArgNames({"digest", "body"})->ArgsProduct({{0, 1, 2}, {0, 4096}});

// The two halves of BM_VerifyTencent.
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

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "bench/micro/sample_callback.h"
#include "bench/micro/steady_state.h"
#include "relay/check.h"
#include "relay/json_object.h"
#include "relay/log.h"
#include "relay/pattern_index.h"
#include "workers/endpoint_table.h"

// Which endpoints of its tenant an event is owed to: one scan of the body for all of them, then one
// pattern each.

namespace relay {
namespace {

// Endpoint `number` asks for another stream, but for each tenth, which asks for what the sample is.
std::string PatternOf(int number) {
  if (number % 10 == 0) {
    return R"({"event_type":[0,1],"stream_id":[{"prefix":"stream"}],"$source":["demo"]})";
  }
  return R"({"event_type":[0,1],"stream_id":["other-)" + std::to_string(number) + R"("]})";
}

CatalogPtr MakeCatalog(int endpoints, bool with_patterns) {
  Catalog catalog;
  Tenant tenant;
  tenant.id = "acme";
  for (int i = 0; i < endpoints; ++i) {
    Endpoint endpoint;
    endpoint.number = static_cast<uint64_t>(i) + 1;
    endpoint.id = "endpoint-" + std::to_string(i);
    if (with_patterns) endpoint.pattern = PatternOf(i);
    tenant.endpoints.push_back(std::move(endpoint));
  }
  catalog.tenants.push_back(std::move(tenant));
  return CatalogSnapshot::Of(catalog, 7);
}

void Run(benchmark::State& state, bool with_patterns, int64_t body_bytes, int endpoints) {
  const auto log = Log::Silent();
  EndpointTable table(MakeCatalog(endpoints, with_patterns), *log);
  const Event event = SampleEvent(body_bytes);
  const size_t owed = with_patterns ? (endpoints + 9) / 10 : endpoints;
  RunSteadily(state, [&] { RELAY_CHECK(table.MatchEvent(event).owed.size() == owed); });
}

void BM_MatchPatterns(benchmark::State& state) {
  Run(state, /*with_patterns=*/true, state.range(1), static_cast<int>(state.range(0)));
}
BENCHMARK(BM_MatchPatterns)
    ->ArgNames({"endpoints", "body"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({10000, 0})
    ->Args({100, 4096})
    ->Args({100, 65536});

// Endpoints that take everything: nobody parses the body.
void BM_MatchEverything(benchmark::State& state) {
  Run(state, /*with_patterns=*/false, 0, static_cast<int>(state.range(0)));
}
BENCHMARK(BM_MatchEverything)->ArgName("endpoints")->Arg(1)->Arg(100)->Arg(10000);

// Three clauses: one that all share, one that only pattern `number` has, and a range. `matching` of
// each 100 ask for what the sample is.
std::string ThreeClauses(int number, int64_t matching) {
  const std::string stream = number % 100 < matching
                                 ? R"([{"prefix":"stream"}])"
                                 : R"(["other-)" + std::to_string(number) + R"("])";
  return R"({"event_type":[0,1],"stream_id":)" + stream +
         R"(,"appname":[{"anything-but":"test"}]})";
}

// The body is parsed already: what the index itself costs.
void BM_MatchIndex(benchmark::State& state) {
  const int64_t patterns = state.range(0);
  std::vector<EventPattern> compiled;
  for (int i = 0; i < patterns; ++i) {
    Result<EventPattern> pattern = EventPattern::Parse(ThreeClauses(i, state.range(1)));
    RELAY_CHECK(pattern.ok());
    compiled.push_back(*std::move(pattern));
  }
  PatternIndex index(std::move(compiled));
  const Event event = SampleEvent(0);
  JsonObject body;
  RELAY_CHECK(body.Parse(event.body).ok());
  const EventAttributes attributes{event.type, event.source, event.tenant};
  std::vector<uint32_t> owed;
  const size_t expected = patterns / 100 * state.range(1);
  RunSteadily(state, [&] {
    index.Match(&body, attributes, owed);
    RELAY_CHECK(owed.size() == expected);
  });
}
BENCHMARK(BM_MatchIndex)
    ->ArgNames({"patterns", "matching_of_100"})
    ->Args({100, 0})
    ->Args({100, 1})
    ->Args({100, 10})
    ->Args({100, 100})
    ->Args({10000, 0})
    ->Args({10000, 1})
    ->Args({10000, 10});

}  // namespace
}  // namespace relay

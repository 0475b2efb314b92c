#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/micro/steady_state.h"
#include "relay/check.h"
#include "relay/tenant_router.h"

// Finding the tenant of an event must not cost more where there are more tenants. Each call asks
// for another one, so that with many of them the look-up meets cold memory, as it does in life.

namespace relay {
namespace {

constexpr int kAsked = 4096;

CatalogPtr MakeCatalog(int tenants) {
  Catalog catalog;
  for (int i = 0; i < tenants; ++i) {
    const std::string number = std::to_string(i);
    Tenant tenant;
    tenant.id = "tenant-" + number;
    tenant.push_domains = {"push-" + number + ".livepush.example"};
    tenant.appids = {std::to_string(1250000000 + i)};
    tenant.stream_prefixes = {"t" + number + "_"};
    catalog.tenants.push_back(std::move(tenant));
  }
  return CatalogSnapshot::Of(catalog);
}

void Run(benchmark::State& state, RouteBy route_by) {
  const auto tenants = static_cast<int>(state.range(0));
  const TenantRouter router(MakeCatalog(tenants));
  Source source;
  source.route_by = route_by;
  source.route_tenant = "tenant-0";
  source.route_param = "tenant";
  std::vector<RouteAttributes> asked(kAsked);
  uint32_t pick = 1;
  for (RouteAttributes& attributes : asked) {
    pick = pick * 1664525 + 1013904223;
    const std::string number = std::to_string(pick % static_cast<uint32_t>(tenants));
    attributes.push_domain = "Push-" + number + ".livepush.example";
    attributes.appid = std::to_string(1250000000 + std::stoi(number));
    attributes.stream_id = "t" + number + "_stream42";
    attributes.stream_param = "txSecret=0123456789abcdef&txTime=5C271099&tenant=tenant-" + number;
  }
  size_t next = 0;
  RunSteadily(state, [&] { RELAY_CHECK(router.Route(source, asked[next++ % kAsked]) != nullptr); });
}

void BM_RouteByDomain(benchmark::State& state) {
  Run(state, RouteBy::kPushDomain);
}
BENCHMARK(BM_RouteByDomain)->ArgName("tenants")->Arg(10)->Arg(100000);

void BM_RouteByAppId(benchmark::State& state) {
  Run(state, RouteBy::kAppId);
}
BENCHMARK(BM_RouteByAppId)->ArgName("tenants")->Arg(10)->Arg(100000);

void BM_RouteByStreamPrefix(benchmark::State& state) {
  Run(state, RouteBy::kStreamPrefix);
}
BENCHMARK(BM_RouteByStreamPrefix)->ArgName("tenants")->Arg(10)->Arg(100000);

void BM_RouteByStreamParam(benchmark::State& state) {
  Run(state, RouteBy::kStreamParam);
}
BENCHMARK(BM_RouteByStreamParam)->ArgName("tenants")->Arg(10)->Arg(100000);

}  // namespace
}  // namespace relay

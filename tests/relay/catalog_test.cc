#include "relay/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/catalog_snapshot.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Endpoint EndpointNamed(const std::string& id, uint64_t number = 0) {
  Endpoint endpoint;
  endpoint.id = id;
  endpoint.number = number;
  return endpoint;
}

Tenant EmptyTenant(const std::string& id) {
  Tenant tenant;
  tenant.id = id;
  return tenant;
}

Catalog OneTenant() {
  Catalog catalog;
  Source source;
  source.id = "live";
  source.path = "p";
  source.keys = {"source-secret"};
  catalog.sources.push_back(source);
  catalog.tenants.push_back(EmptyTenant("acme"));
  catalog.tenants[0].endpoints.push_back(EndpointNamed("a", 7));
  return catalog;
}

std::vector<std::string> Diff(const Catalog& held, const Catalog& desired) {
  return CatalogDiff(*CatalogSnapshot::Of(held), desired);
}

TEST(Catalog, NumbersAreNoContent) {
  const Catalog a = OneTenant();
  Catalog b = OneTenant();
  b.tenants[0].endpoints[0].number = 8;
  EXPECT_TRUE(SameContent(a.tenants[0], b.tenants[0]));
  EXPECT_THAT(Diff(a, b), IsEmpty());
  b.tenants[0].endpoints[0].in_flight_max = 11;
  EXPECT_FALSE(SameContent(a.tenants[0], b.tenants[0]));
}

TEST(Catalog, ADiffNamesWhatComesGoesAndChanges) {
  const Catalog before = OneTenant();
  Catalog after = OneTenant();
  after.sources[0].path = "q";
  after.tenants[0].limits.held_bytes = 1024;
  after.tenants[0].operator_endpoint = "b";
  after.tenants[0].endpoints[0].timeout = Millis(20000);
  after.tenants[0].endpoints[0].disable_after = Millis(0);
  after.tenants[0].endpoints.push_back(EndpointNamed("b"));
  after.tenants.push_back(EmptyTenant("new"));
  EXPECT_THAT(
      Diff(before, after),
      ElementsAre("~ source/live path: p -> q", "~ tenant/acme limits.held_bytes: 256MiB -> 1KiB",
                  "~ tenant/acme operator:  -> b", "~ tenant/acme/a timeout: 15s -> 20s",
                  "~ tenant/acme/a disable_after: 5d -> 0s", "+ tenant/acme/b", "+ tenant/new"));
  EXPECT_THAT(Diff(after, Catalog()),
              ElementsAre("- source/live", "- tenant/acme", "- tenant/acme/a", "- tenant/acme/b",
                          "- tenant/new"));
}

TEST(Catalog, ADiffShowsNoSecret) {
  const Catalog before = OneTenant();
  Catalog after = OneTenant();
  after.sources[0].keys = {"another-secret"};
  after.sources[0].play.key = "play-secret";
  after.tenants[0].endpoints[0].headers = {{"Authorization", "Bearer secret"}};
  EXPECT_THAT(Diff(before, after),
              ElementsAre("~ source/live keys: changed", "~ source/live play.key: changed",
                          "~ tenant/acme/a headers: changed"));
}

TEST(Catalog, ANewOrderOfEndpointsIsADifferenceThatOfTenantsIsNone) {
  Catalog before = OneTenant();
  before.tenants[0].endpoints.push_back(EndpointNamed("b", 8));
  before.tenants.push_back(EmptyTenant("b"));
  Catalog after = before;
  std::swap(after.tenants[0], after.tenants[1]);
  EXPECT_THAT(Diff(before, after), IsEmpty());
  std::swap(after.tenants[1].endpoints[0], after.tenants[1].endpoints[1]);
  EXPECT_THAT(Diff(before, after), ElementsAre("~ order of the entries"));
}

}  // namespace
}  // namespace relay

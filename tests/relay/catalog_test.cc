#include "relay/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

Tenant TenantNamed(const std::string& id) {
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
  catalog.tenants.push_back(TenantNamed("acme"));
  catalog.tenants[0].endpoints.push_back(EndpointNamed("a", 7));
  catalog.BuildIndex();
  return catalog;
}

TEST(Catalog, FindsByIdPathAndNumber) {
  const Catalog catalog = OneTenant();
  EXPECT_EQ(catalog.FindSource("live"), &catalog.sources[0]);
  EXPECT_EQ(catalog.FindSourceByPath("p"), &catalog.sources[0]);
  const Tenant* tenant = nullptr;
  EXPECT_EQ(catalog.FindEndpoint(7, &tenant), &catalog.tenants[0].endpoints[0]);
  EXPECT_EQ(tenant, &catalog.tenants[0]);
  EXPECT_EQ(catalog.FindEndpoint(8), nullptr);
  EXPECT_EQ(catalog.FindTenant("other"), nullptr);
}

// An index copied as it is would point into the original, which may be gone.
TEST(Catalog, ACopyBuildsItsOwnIndex) {
  const Catalog catalog = OneTenant();
  Catalog copy = catalog;
  EXPECT_EQ(copy.FindTenant("acme"), nullptr);
  copy.BuildIndex();
  EXPECT_EQ(copy.FindTenant("acme"), &copy.tenants[0]);
}

TEST(Catalog, AMoveKeepsTheIndex) {
  Catalog catalog = OneTenant();
  const Catalog moved = std::move(catalog);
  EXPECT_EQ(moved.FindTenant("acme"), &moved.tenants[0]);
  EXPECT_EQ(moved.FindEndpoint(7), &moved.tenants[0].endpoints[0]);
}

TEST(Catalog, VersionNumbersAndRuntimeAreNoContent) {
  const Catalog a = OneTenant();
  Catalog b = OneTenant();
  b.version = 9;
  b.tenants[0].endpoints[0].number = 8;
  b.runtime[8].paused = true;
  EXPECT_TRUE(SameContent(a, b));
  EXPECT_THAT(CatalogDiff(a, b), IsEmpty());
  b.tenants[0].endpoints[0].in_flight_max = 11;
  EXPECT_FALSE(SameContent(a, b));
}

TEST(Catalog, ADiffNamesWhatComesGoesAndChanges) {
  const Catalog before = OneTenant();
  Catalog after = OneTenant();
  after.sources[0].path = "q";
  after.tenants[0].limits.held_bytes = 1024;
  after.tenants[0].endpoints[0].timeout = Millis(20000);
  after.tenants[0].endpoints.push_back(EndpointNamed("b"));
  after.tenants.push_back(TenantNamed("new"));
  EXPECT_THAT(
      CatalogDiff(before, after),
      ElementsAre("~ source/live path: p -> q", "~ tenant/acme limits.held_bytes: 256MiB -> 1KiB",
                  "~ tenant/acme/a timeout: 15s -> 20s", "+ tenant/acme/b", "+ tenant/new"));
  EXPECT_THAT(CatalogDiff(after, Catalog()),
              ElementsAre("- source/live", "- tenant/acme", "- tenant/acme/a", "- tenant/acme/b",
                          "- tenant/new"));
}

TEST(Catalog, ADiffShowsNoSecret) {
  const Catalog before = OneTenant();
  Catalog after = OneTenant();
  after.sources[0].keys = {"another-secret"};
  after.tenants[0].endpoints[0].headers = {{"Authorization", "Bearer secret"}};
  EXPECT_THAT(CatalogDiff(before, after),
              ElementsAre("~ source/live keys: changed", "~ tenant/acme/a headers: changed"));
}

TEST(Catalog, ANewOrderIsADifference) {
  Catalog before = OneTenant();
  before.tenants.push_back(TenantNamed("b"));
  Catalog after = before;
  std::swap(after.tenants[0], after.tenants[1]);
  EXPECT_THAT(CatalogDiff(before, after), ElementsAre("~ order of the entries"));
}

}  // namespace
}  // namespace relay

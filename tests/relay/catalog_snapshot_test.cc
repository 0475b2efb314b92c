#include "relay/catalog_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "relay/random.h"

namespace relay {
namespace {

using testing::ElementsAre;

Tenant TenantNamed(const std::string& id, std::vector<uint64_t> numbers = {}) {
  Tenant tenant;
  tenant.id = id;
  for (const uint64_t number : numbers) {
    tenant.endpoints.emplace_back();
    tenant.endpoints.back().number = number;
    tenant.endpoints.back().id = "e" + std::to_string(number);
  }
  return tenant;
}

std::vector<std::string> Ids(const CatalogSnapshot& catalog) {
  std::vector<std::string> ids;
  for (const Tenant* tenant : catalog.Tenants()) ids.push_back(tenant->id);
  return ids;
}

TEST(CatalogSnapshot, FindsByIdPathAndNumber) {
  Catalog catalog;
  catalog.sources.emplace_back();
  catalog.sources[0].id = "live";
  catalog.sources[0].path = "p";
  catalog.tenants = {TenantNamed("globex"), TenantNamed("acme", {7})};
  const CatalogPtr snapshot = CatalogSnapshot::Of(catalog, 3);
  EXPECT_EQ(snapshot->version(), 3u);
  EXPECT_EQ(snapshot->FindSource("live"), &snapshot->sources()[0]);
  EXPECT_EQ(snapshot->FindSourceByPath("p"), &snapshot->sources()[0]);
  EXPECT_EQ(snapshot->FindSource("p"), nullptr);
  const Tenant* tenant = nullptr;
  ASSERT_NE(snapshot->FindEndpoint(7, &tenant), nullptr);
  EXPECT_EQ(snapshot->FindEndpoint(7)->id, "e7");
  EXPECT_EQ(tenant, snapshot->FindTenant("acme"));
  EXPECT_EQ(snapshot->ShareTenant("acme").get(), tenant);
  EXPECT_EQ(snapshot->FindEndpoint(8), nullptr);
  EXPECT_EQ(snapshot->FindTenant("other"), nullptr);
  EXPECT_EQ(snapshot->ShareTenant("other"), nullptr);
  EXPECT_THAT(Ids(*snapshot), ElementsAre("acme", "globex"));
}

// The part of a tenant is in the data model of every installation.
TEST(CatalogSnapshot, ATenantStaysInItsPartForEver) {
  EXPECT_EQ(CatalogPartOf("acme"), 40);
  EXPECT_EQ(CatalogPartOf("tenant-1"), 98);
}

TEST(CatalogSnapshot, ACopyIsChangedWithoutTheOriginal) {
  Catalog catalog;
  catalog.tenants = {TenantNamed("acme", {7})};
  const CatalogPtr before = CatalogSnapshot::Of(catalog);
  CatalogSnapshot after = *before;
  Tenant changed = TenantNamed("acme", {9});
  changed.appids = {"1250000000"};
  after.SetPart(CatalogPartOf("acme"), "d", {changed});
  EXPECT_NE(before->FindEndpoint(7), nullptr);
  EXPECT_EQ(before->FindTenantByAppId("1250000000"), nullptr);
  EXPECT_EQ(after.FindEndpoint(7), nullptr);
  EXPECT_NE(after.FindEndpoint(9), nullptr);
  EXPECT_EQ(after.FindTenantByAppId("1250000000"), after.FindTenant("acme"));
  EXPECT_EQ(after.tenant_count(), 1u);
  after.ClearPart(CatalogPartOf("acme"));
  EXPECT_EQ(after.FindTenant("acme"), nullptr);
  EXPECT_EQ(after.tenant_count(), 0u);
  EXPECT_NE(before->FindTenant("acme"), nullptr);
}

// So that what was worked out from a tenant, its patterns above all, lasts while it says the same.
TEST(CatalogSnapshot, ATenantThatAPartRepeatsStaysTheSameObject) {
  Catalog catalog;
  catalog.tenants = {TenantNamed("acme", {7})};
  const CatalogPtr before = CatalogSnapshot::Of(catalog);
  CatalogSnapshot after = *before;
  after.SetPart(CatalogPartOf("acme"), "other", {TenantNamed("acme", {7})});
  EXPECT_EQ(after.FindTenant("acme"), before->FindTenant("acme"));
  EXPECT_EQ(after.part(CatalogPartOf("acme"))->digest, "other");
}

TEST(CatalogSnapshot, OfPrefixesThoseThatAreGoneAreNotLookedFor) {
  Catalog catalog;
  catalog.tenants = {TenantNamed("acme"), TenantNamed("globex")};
  catalog.tenants[0].stream_prefixes = {"88", "8888_"};
  catalog.tenants[1].stream_prefixes = {"77"};
  CatalogSnapshot snapshot = *CatalogSnapshot::Of(catalog);
  EXPECT_EQ(snapshot.FindTenantByStream("8888_x"), snapshot.FindTenant("acme"));
  snapshot.ClearPart(CatalogPartOf("acme"));
  EXPECT_EQ(snapshot.FindTenantByStream("8888_x"), nullptr);
  EXPECT_EQ(snapshot.FindTenantByStream("77x"), snapshot.FindTenant("globex"));
}

// Any way of changes leads to what the last catalog alone gives.
TEST(CatalogSnapshot, ManyChangesAreAsGoodAsOneReading) {
  Random random(4);
  CatalogSnapshot snapshot;
  std::map<std::string, Tenant> model;
  for (int step = 0; step < 3000; ++step) {
    const std::string id = "t" + std::to_string(random.Below(200));
    if (random.Below(4) == 0) {
      model.erase(id);
    } else {
      Tenant tenant = TenantNamed(id, {1 + random.Below(1000)});
      tenant.push_domains = {id + ".example", std::to_string(random.Below(50)) + "." + id};
      model[id] = tenant;
    }
    const int part = CatalogPartOf(id);
    std::vector<Tenant> tenants;
    for (const auto& [name, tenant] : model) {
      if (CatalogPartOf(name) == part) tenants.push_back(tenant);
    }
    const CatalogSnapshot held = snapshot;
    if (tenants.empty()) {
      snapshot.ClearPart(part);
    } else {
      snapshot.SetPart(part, std::to_string(step), std::move(tenants));
    }
  }
  ASSERT_EQ(snapshot.tenant_count(), model.size());
  std::set<uint64_t> numbers;
  for (const auto& [id, tenant] : model) {
    const Tenant* found = snapshot.FindTenant(id);
    ASSERT_NE(found, nullptr) << id;
    EXPECT_EQ(*found, tenant);
    for (const std::string& domain : tenant.push_domains) {
      EXPECT_EQ(snapshot.FindTenantByDomain(domain), found);
    }
    numbers.insert(tenant.endpoints[0].number);
  }
  for (uint64_t number = 1; number <= 1000; ++number) {
    EXPECT_EQ(snapshot.FindEndpoint(number) != nullptr, numbers.count(number) == 1) << number;
  }
}

}  // namespace
}  // namespace relay

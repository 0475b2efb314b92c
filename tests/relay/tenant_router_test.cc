#include "relay/tenant_router.h"

#include <gtest/gtest.h>

#include <string>

namespace relay {
namespace {

class TenantRouterTest : public testing::Test {
 protected:
  TenantRouterTest() {
    Catalog catalog;
    Tenant acme;
    acme.id = "acme";
    acme.push_domains = {"acme.livepush.example"};
    acme.appids = {"12345678"};
    acme.stream_prefixes = {"8888_", "88"};
    Tenant globex;
    globex.id = "globex";
    globex.push_domains = {"globex.livepush.example"};
    globex.appids = {"123456789"};
    globex.stream_prefixes = {"8888_vip_"};
    catalog.tenants = {acme, globex};
    router_ = std::make_unique<TenantRouter>(CatalogSnapshot::Of(catalog));
  }

  std::string Route(RouteBy by, const RouteAttributes& attributes) {
    Source source;
    source.route_by = by;
    source.route_tenant = "globex";
    source.route_param = "tenant";
    const Tenant* tenant = router_->Route(source, attributes);
    return tenant == nullptr ? "" : tenant->id;
  }
  std::string ByStream(const std::string& id) {
    return Route(RouteBy::kStreamPrefix, {"", "", id, ""});
  }

  std::unique_ptr<TenantRouter> router_;
};

TEST_F(TenantRouterTest, AFixedTenantNeedsNoAttribute) {
  EXPECT_EQ(Route(RouteBy::kFixedTenant, {}), "globex");
}

TEST_F(TenantRouterTest, APushDomainMatchesWholeAndInAnyCase) {
  EXPECT_EQ(Route(RouteBy::kPushDomain, {"aCME.livepush.EXAMPLE", "", "", ""}), "acme");
  EXPECT_EQ(Route(RouteBy::kPushDomain, {"livepush.example", "", "", ""}), "");
  EXPECT_EQ(Route(RouteBy::kPushDomain, {}), "");
  EXPECT_EQ(Route(RouteBy::kPushDomain, {std::string(100000, 'a'), "", "", ""}), "");
}

TEST_F(TenantRouterTest, AnAppIdMatchesWhole) {
  EXPECT_EQ(Route(RouteBy::kAppId, {"", "12345678", "", ""}), "acme");
  EXPECT_EQ(Route(RouteBy::kAppId, {"", "123456789", "", ""}), "globex");
  EXPECT_EQ(Route(RouteBy::kAppId, {"", "1234567", "", ""}), "");
}

TEST_F(TenantRouterTest, OfSeveralPrefixesTheLongestWins) {
  EXPECT_EQ(ByStream("8888_vip_1"), "globex");
  EXPECT_EQ(ByStream("8888_vip"), "acme");
  EXPECT_EQ(ByStream("8888_"), "acme");
  EXPECT_EQ(ByStream("88"), "acme");
  EXPECT_EQ(ByStream("8"), "");
  EXPECT_EQ(ByStream(""), "");
}

TEST_F(TenantRouterTest, AParameterOfThePushUrlNamesTheTenant) {
  const auto by_param = [this](const std::string& query) {
    RouteAttributes attributes;
    attributes.stream_param = query;
    return Route(RouteBy::kStreamParam, attributes);
  };
  EXPECT_EQ(by_param("txSecret=ab&tenant=acme&txTime=5C271099"), "acme");
  EXPECT_EQ(by_param("tenant=globex"), "globex");
  EXPECT_EQ(by_param("subtenant=acme&tenant=globex&tenant=acme"), "globex");
  for (const char* query :
       {"", "tenant", "tenant=", "tenant=nobody", "&&", "=acme", "Tenant=acme"}) {
    EXPECT_EQ(by_param(query), "") << query;
  }
}

}  // namespace
}  // namespace relay

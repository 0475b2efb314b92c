#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "relay/catalog.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr char kSecret[] = "whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=";

Result<Catalog> Parse(const std::string& text) {
  return ParseCatalogToml(text, "catalog.toml");
}

std::string Complaint(const std::string& text) {
  const Result<Catalog> catalog = Parse(text);
  return catalog.ok() ? "no complaint" : catalog.status().text();
}

// A catalog of one tenant with one endpoint that has `lines` besides its id and url.
std::string WithEndpoint(const std::string& lines) {
  return "format = 1\n[[tenant]]\nid = \"acme\"\n[[tenant.endpoint]]\nid = \"a\"\n"
         "url = \"https://example.com/\"\n" +
         lines;
}

std::string WithSource(const std::string& lines) {
  return "format = 1\n[[tenant]]\nid = \"acme\"\n[[source]]\n" + lines;
}

TEST(CatalogToml, TheDemoIsRead) {
  std::ifstream file(RELAY_SOURCE_DIR "/conf/catalog.demo.toml");
  std::ostringstream text;
  text << file.rdbuf();
  const Result<Catalog> catalog = Parse(text.str());
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();

  ASSERT_EQ(catalog->sources.size(), 1u);
  const Source* source = &catalog->sources.front();
  EXPECT_EQ(source->id, "demo");
  EXPECT_EQ(source->path, "demo");
  EXPECT_THAT(source->keys, ElementsAre("demo-key"));
  EXPECT_EQ(source->route_by, RouteBy::kFixedTenant);
  EXPECT_EQ(source->route_tenant, "acme");

  ASSERT_EQ(catalog->tenants.size(), 1u);
  const Tenant* tenant = &catalog->tenants.front();
  EXPECT_EQ(tenant->id, "acme");
  EXPECT_THAT(tenant->push_domains, ElementsAre("acme.livepush.example"));
  ASSERT_EQ(tenant->endpoints.size(), 3u);
  const Endpoint& b = tenant->endpoints[1];
  EXPECT_EQ(b.format, DeliveryFormat::kTencent);
  EXPECT_EQ(b.ack, AckRule::kCode0);
  EXPECT_EQ(b.signing_key, "customer-b-key");
  EXPECT_THAT(tenant->endpoints[2].headers, ElementsAre(Pair("X-Team", "live")));
}

// customer-c spells out the defaults; customer-a relies on them.
TEST(CatalogToml, WhatTheDemoSpellsOutAreTheDefaults) {
  std::ifstream file(RELAY_SOURCE_DIR "/conf/catalog.demo.toml");
  std::ostringstream text;
  text << file.rdbuf();
  const Result<Catalog> catalog = Parse(text.str());
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const auto& endpoints = catalog->tenants.front().endpoints;
  Endpoint spelled = endpoints[2];
  spelled.id = endpoints[0].id;
  spelled.url = endpoints[0].url;
  spelled.pattern = "";
  spelled.headers.clear();
  spelled.signing_secrets = endpoints[0].signing_secrets;
  // Its receiver fails too often for a breaker; all but that is the default.
  EXPECT_EQ(spelled.breaker.failures, 0);
  EXPECT_EQ(spelled.breaker.share, 0);
  spelled.breaker.failures = EndpointBreaker().failures;
  spelled.breaker.share = EndpointBreaker().share;
  EXPECT_EQ(spelled, endpoints[0]);
  EXPECT_EQ(catalog->tenants.front().limits, TenantLimits());
  EXPECT_EQ(catalog->sources.front().grace, Source().grace);
  EXPECT_EQ(catalog->sources.front().window, Source().window);
}

TEST(CatalogToml, SubTablesReadLikeInlineTables) {
  const Result<Catalog> catalog = Parse(
      WithEndpoint("[tenant.endpoint.signing]\nscheme = \"standard-webhooks\"\nsecrets = [\"" +
                   std::string(kSecret) + "\"]\n[tenant.endpoint.retry]\nschedule = [\"1s\"]\n"));
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const Endpoint& endpoint = catalog->tenants[0].endpoints[0];
  EXPECT_THAT(endpoint.signing_secrets, ElementsAre(kSecret));
  EXPECT_THAT(endpoint.retry_schedule, ElementsAre(Millis(1000)));
}

TEST(CatalogToml, ARetryPolicyIsReadWhole) {
  const Result<Catalog> catalog =
      Parse(WithEndpoint("retry = { schedule = [\"1s\", \"1s\", \"5s\"], attempts = 9, final = "
                         "[404], only = [500] }\n"));
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const Endpoint& endpoint = catalog->tenants[0].endpoints[0];
  EXPECT_EQ(AttemptsMax(endpoint), 9);
  EXPECT_EQ(RetryDelay(endpoint, 2), Millis(1000));
  EXPECT_EQ(RetryDelay(endpoint, 8), Millis(5000));
  EXPECT_FALSE(IsFinalStatus(endpoint, 500));
  for (const int status : {404, 410, 502}) EXPECT_TRUE(IsFinalStatus(endpoint, status)) << status;
}

TEST(CatalogToml, ARetryPolicyThatCannotBeMeantIsRefused) {
  EXPECT_THAT(Complaint(WithEndpoint("retry = { schedule = [\"5s\", \"1s\"] }\n")),
              HasSubstr("retry.schedule: expected delays of which none is shorter"));
  EXPECT_THAT(Complaint(WithEndpoint("retry = { attempts = 61 }\n")), HasSubstr("retry.attempts"));
  EXPECT_THAT(Complaint(WithEndpoint("retry = { only = [404], final = [404] }\n")),
              HasSubstr("404 is final"));
  EXPECT_THAT(Complaint(WithEndpoint("retry = { only = [410] }\n")), HasSubstr("410 is final"));
  EXPECT_THAT(Complaint(WithEndpoint("retry = { only = [200] }\n")), HasSubstr("retry.only"));
}

TEST(CatalogToml, AComplaintNamesFileLineAndEntry) {
  EXPECT_EQ(Complaint(WithEndpoint("timeout = \"1h\"\n")),
            "catalog.toml:7: tenant[acme].endpoint[a].timeout: expected a duration from 100ms to "
            "5m such as \"15s\", found \"1h\"");
  EXPECT_THAT(Complaint(WithEndpoint("tiemout = \"1s\"\n")),
              StartsWith("catalog.toml:7: tenant[acme].endpoint[a].tiemout: unknown key; known"));
}

TEST(CatalogToml, EveryComplaintIsTold) {
  const std::string complaint =
      Complaint(WithEndpoint("in_flight_max = 0\nformat = \"xml\"\npattern = '{}'\n"));
  EXPECT_THAT(complaint, HasSubstr("catalog.toml:7: "));
  EXPECT_THAT(complaint, HasSubstr("\ncatalog.toml:8: "));
  EXPECT_THAT(complaint, HasSubstr("\ncatalog.toml:9: "));
}

TEST(CatalogToml, FormatIsRequiredAndMustBeKnown) {
  EXPECT_THAT(Complaint(""), HasSubstr("lacks the key \"format\""));
  EXPECT_THAT(Complaint("format = 2\n"), HasSubstr("from 1 to 1, found 2"));
}

TEST(CatalogToml, IdsAreShortLowerCaseAndUnique) {
  for (const char* id : {"", "Acme", "a_b", "a/b"}) {
    EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"" + std::string(id) + "\"\n"),
                HasSubstr("expected 1 to 40 of a-z"));
  }
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"" + std::string(41, 'a') + "\"\n"),
              HasSubstr("expected 1 to 40"));
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"a\"\n"),
              HasSubstr("catalog.toml:5: tenant[a].id: \"a\" is taken already"));
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\n"), HasSubstr("lacks the key \"id\""));
}

TEST(CatalogToml, ARouteKeyClaimedTwiceNamesBothTenants) {
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"a\"\nroutes = { push_domain = "
                        "[\"Live.example\"] }\n[[tenant]]\nid = \"b\"\nroutes = { push_domain = "
                        "[\"live.example\"] }\n"),
              HasSubstr("\"live.example\" is claimed by tenant \"a\" and by tenant \"b\""));
}

TEST(CatalogToml, ASourceMustFindItsTenant) {
  const std::string source =
      "id = \"s\"\npath = \"p\"\nprovider = \"tencent-live\"\nkeys = [\"k\"]\n";
  EXPECT_EQ(Complaint(WithSource(source + "route = { tenant = \"acme\" }\n")), "no complaint");
  EXPECT_EQ(Complaint(WithSource(source + "route = { by = \"stream_param\", name = \"t\" }\n")),
            "no complaint");
  EXPECT_THAT(Complaint(WithSource(source + "route = { tenant = \"nobody\" }\n")),
              HasSubstr("there is no tenant \"nobody\""));
  EXPECT_THAT(Complaint(WithSource(source + "route = {}\n")), HasSubstr("either a tenant or by"));
  EXPECT_THAT(Complaint(WithSource(source + "route = { by = \"stream_param\" }\n")),
              HasSubstr("go together"));
  EXPECT_THAT(Complaint(WithSource(source)), HasSubstr("lacks the key \"route\""));
}

TEST(CatalogToml, UnknownProvidersAndEmptyKeysAreRefused) {
  const std::string complaint = Complaint(
      WithSource("id = \"s\"\npath = \"a/b\"\nprovider = \"github\"\nkeys = [\"\"]\nroute = { by = "
                 "\"appid\" }\n"));
  EXPECT_THAT(complaint, HasSubstr("source[s].path: expected"));
  EXPECT_THAT(complaint, HasSubstr("source[s].provider: this version supports"));
  EXPECT_THAT(complaint, HasSubstr("source[s].keys: must not be empty"));
}

TEST(CatalogToml, SecretsMayStandInFiles) {
  const std::string path = testing::TempDir() + "relay_catalog_secret_" + std::to_string(getpid());
  std::ofstream(path) << "from-a-file\n";
  const Result<Catalog> catalog = Parse(WithSource(
      "id = \"s\"\npath = \"p\"\nprovider = \"tencent-live\"\nroute = { tenant = \"acme\" }\n"
      "keys = [\"file:" +
      path + "\"]\n"));
  std::remove(path.c_str());
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  EXPECT_THAT(catalog->sources[0].keys, ElementsAre("from-a-file"));
  EXPECT_THAT(Complaint(WithSource("keys = [\"file:/nonexistent/key\"]\n")),
              HasSubstr("cannot read /nonexistent/key"));
}

TEST(CatalogToml, SigningMustBeWhole) {
  const auto signing = [](const std::string& table) {
    return Complaint(WithEndpoint("signing = " + table + "\n"));
  };
  EXPECT_THAT(signing("{ scheme = \"standard-webhooks\" }"), HasSubstr("1 to 4 secrets"));
  EXPECT_THAT(signing("{ scheme = \"tencent\" }"), HasSubstr("a key go together"));
  EXPECT_THAT(signing("{ scheme = \"tencent\", key = \"k\" }"), HasSubstr("format = \"tencent\""));
  EXPECT_THAT(Complaint(WithEndpoint("format = \"tencent\"\n")), HasSubstr("go together"));
}

// Whoever reads a complaint in a terminal or a ticket must not learn the secret from it.
TEST(CatalogToml, AComplaintNeverRepeatsASecret) {
  const std::string complaint = Complaint(WithEndpoint(
      "signing = { scheme = \"standard-webhooks\", secrets = [\"hunter2\"], key = 5 }\n"));
  EXPECT_THAT(complaint, HasSubstr("endpoint[a].signing.secrets: "));
  EXPECT_THAT(complaint, Not(HasSubstr("hunter2")));
}

TEST(CatalogToml, ALaneHasARateAndABreaker) {
  const Result<Catalog> catalog = Parse(WithEndpoint(
      "rate = { per_s = 50, burst = 5, backlog_per_s = 20 }\n"
      "breaker = { failures = 3, share = 0.25, least = 8, window = \"1m\", probe_every = \"2s\", "
      "slow_start = \"0s\" }\n"));
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const Endpoint& endpoint = catalog->tenants[0].endpoints[0];
  EXPECT_EQ(endpoint.rate, (EndpointRate{.per_s = 50, .burst = 5, .backlog_per_s = 20}));
  EXPECT_EQ(endpoint.breaker, (EndpointBreaker{.failures = 3,
                                               .share = 0.25,
                                               .least = 8,
                                               .window = Millis(60'000),
                                               .probe_every = Millis(2000),
                                               .slow_start = Millis(0)}));
}

TEST(CatalogToml, ALaneThatCannotBeMeantIsRefused) {
  EXPECT_THAT(Complaint(WithEndpoint("rate = { per_s = 1000000000 }\n")),
              HasSubstr("endpoint[a].rate.per_s: "));
  EXPECT_THAT(Complaint(WithEndpoint("rate = { burst = 5 }\n")),
              HasSubstr("endpoint[a].rate.burst: says nothing without per_s"));
  EXPECT_THAT(Complaint(WithEndpoint("breaker = { share = 1.5 }\n")),
              HasSubstr("endpoint[a].breaker.share: "));
  EXPECT_THAT(Complaint(WithEndpoint("breaker = { probe_every = \"0s\" }\n")),
              HasSubstr("endpoint[a].breaker.probe_every: "));
  EXPECT_THAT(Complaint(WithEndpoint("breaker = { probes = 3 }\n")), HasSubstr("probes"));
}

TEST(CatalogToml, AnOperatorIsARawEndpointOfItsTenant) {
  const std::string tenant = "format = 1\n[[tenant]]\nid = \"acme\"\noperator = ";
  const std::string endpoint = "[[tenant.endpoint]]\nid = \"a\"\nurl = \"https://example.com/\"\n";
  const Result<Catalog> catalog = Parse(tenant + "\"a\"\n" + endpoint);
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  EXPECT_EQ(catalog->tenants[0].operator_endpoint, "a");
  EXPECT_THAT(Complaint(tenant + "\"b\"\n" + endpoint),
              HasSubstr("tenant[acme].operator: expected the id of an endpoint of this tenant, "
                        "there is no \"b\""));
  EXPECT_THAT(Complaint(tenant + "\"\"\n" + endpoint), HasSubstr("expected the id"));
  EXPECT_THAT(Complaint(tenant + "\"a\"\n" + endpoint +
                        "format = \"tencent\"\nsigning = { scheme = \"tencent\", key = \"k\" }\n"),
              HasSubstr("expected an endpoint with format = \"raw\""));
}

TEST(CatalogToml, AnEndpointIsDisabledAfterMinutesToMonthsOrNever) {
  const Result<Catalog> silent = Parse(WithEndpoint(""));
  ASSERT_TRUE(silent.ok());
  EXPECT_EQ(silent->tenants[0].endpoints[0].disable_after, Millis(std::chrono::hours(120)));
  for (const char* good : {"0s", "1m", "90d"}) {
    EXPECT_EQ(Complaint(WithEndpoint("disable_after = \"" + std::string(good) + "\"\n")),
              "no complaint");
  }
  for (const char* bad : {"59s", "91d"}) {
    EXPECT_THAT(Complaint(WithEndpoint("disable_after = \"" + std::string(bad) + "\"\n")),
                HasSubstr("disable_after: expected"));
  }
}

TEST(CatalogToml, NoSourceIsCalledAsNoticesAre) {
  const std::string rest =
      "provider = \"tencent-live\"\nkeys = [\"k\"]\nroute = { tenant = \"acme\" }\n";
  EXPECT_THAT(Complaint(WithSource("id = \"relay\"\npath = \"p\"\n" + rest)),
              HasSubstr("expected another id"));
  EXPECT_THAT(Complaint(WithSource("id = \"s\"\npath = \"relay\"\n" + rest)),
              HasSubstr("expected another path"));
}

TEST(CatalogToml, WhatLaterVersionsWillDoIsRefused) {
  EXPECT_THAT(Complaint(WithEndpoint("ordering = \"key\"\n")), HasSubstr("this version"));
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"a\"\nweight = 2\n"),
              HasSubstr("this version"));
  EXPECT_THAT(Complaint(WithEndpoint("pattern = '{\"a\":[{\"like\":true}]}'\n")),
              HasSubstr("there is no operator \"like\""));
}

TEST(CatalogToml, AFormatIsReadWithItsModeAndWhatItHides) {
  const Result<Catalog> catalog =
      Parse(WithEndpoint("format = \"cloudevents\"\ncontent_mode = \"structured\"\n"
                         "redact = [\"txSecret\", \"token\"]\n"));
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const Endpoint& endpoint = catalog->tenants.front().endpoints.front();
  EXPECT_EQ(endpoint.format, DeliveryFormat::kCloudEvents);
  EXPECT_EQ(endpoint.content_mode, ContentMode::kStructured);
  EXPECT_THAT(endpoint.redact, ElementsAre("txSecret", "token"));
  EXPECT_EQ(Complaint(WithEndpoint("format = \"normalized\"\nredact = [\"txSecret\"]\n")),
            "no complaint");
  EXPECT_EQ(Complaint(WithEndpoint("format = \"tencent\"\nredact = [\"txSecret\"]\n"
                                   "signing = { scheme = \"tencent\", key = \"k\" }\n")),
            "no complaint");
}

TEST(CatalogToml, AFormatThatCannotDoWhatIsAskedIsRefused) {
  EXPECT_THAT(Complaint(WithEndpoint("format = \"xml\"\n")), HasSubstr("format: expected"));
  EXPECT_THAT(Complaint(WithEndpoint("content_mode = \"binary\"\n")),
              HasSubstr("content_mode: belongs to format = \"cloudevents\""));
  EXPECT_THAT(Complaint(WithEndpoint("format = \"cloudevents\"\ncontent_mode = \"batch\"\n")),
              HasSubstr("content_mode: expected"));
  // The body as it came is not to be changed, whoever asks for it.
  EXPECT_THAT(Complaint(WithEndpoint("redact = [\"txSecret\"]\n")),
              HasSubstr("redact: has no place with format = \"raw\""));
  for (const char* name :
       {"", "a b", "tx=Secret", "%74x", "123456789012345678901234567890123456789012"}) {
    EXPECT_THAT(Complaint(WithEndpoint("format = \"normalized\"\nredact = [\"" + std::string(name) +
                                       "\"]\n")),
                HasSubstr("redact: expected names"))
        << name;
  }
  EXPECT_THAT(Complaint(WithEndpoint("format = \"cloudevents\"\n"
                                     "signing = { scheme = \"tencent\", key = \"k\" }\n")),
              HasSubstr("go together"));
}

TEST(CatalogToml, HeadersMustBeValidAndNotRelaysOwn) {
  EXPECT_EQ(Complaint(WithEndpoint("headers = { Authorization = \"Bearer x\" }\n")),
            "no complaint");
  EXPECT_EQ(Complaint(WithEndpoint("headers = { ce-id = \"x\" }\n")), "no complaint");
  EXPECT_THAT(Complaint(WithEndpoint("format = \"cloudevents\"\nheaders = { Ce-Id = \"x\" }\n")),
              HasSubstr("relay's own"));
  for (const char* name : {"Webhook-Id", "relay-attempt", "Content-Length", "Host", "TE"}) {
    EXPECT_THAT(Complaint(WithEndpoint("headers = { \"" + std::string(name) + "\" = \"x\" }\n")),
                HasSubstr("relay's own"));
  }
  EXPECT_THAT(Complaint(WithEndpoint("headers = { \"X Y\" = \"x\" }\n")), HasSubstr("no valid"));
  EXPECT_THAT(Complaint(WithEndpoint("headers = { X = \"a\\r\\nb: c\" }\n")),
              HasSubstr("printable ASCII"));
}

TEST(CatalogToml, ATenantHasNoMoreEndpointsThanItsLimit) {
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"t\"\nlimits = { endpoints = 1 }\n"
                        "[[tenant.endpoint]]\nid = \"a\"\nurl = \"https://x.example/\"\n"
                        "[[tenant.endpoint]]\nid = \"b\"\nurl = \"https://x.example/\"\n"),
              HasSubstr("2 endpoints, limits.endpoints is 1"));
}

TEST(CatalogToml, AUrlIsReadStrictly) {
  EXPECT_THAT(Complaint("format = 1\n[[tenant]]\nid = \"t\"\n[[tenant.endpoint]]\nid = \"a\"\n"
                        "url = \"http://user:pass@x.example/\"\n"),
              HasSubstr("catalog.toml:6: tenant[t].endpoint[a].url: "));
}

}  // namespace
}  // namespace relay

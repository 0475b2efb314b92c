#include "relay/catalog_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace relay {
namespace {

using testing::HasSubstr;
using testing::Not;

SecretBox BoxOf(unsigned char filling) {
  SecretBox::Key key;
  key.fill(filling);
  return SecretBox::FromKey(key);
}

Catalog Demo() {
  std::ifstream file(RELAY_SOURCE_DIR "/conf/catalog.demo.toml");
  std::ostringstream text;
  text << file.rdbuf();
  Result<Catalog> catalog = ParseCatalogToml(text.str(), "catalog.demo.toml");
  EXPECT_TRUE(catalog.ok()) << catalog.status().text();
  return std::move(catalog).value();
}

// Every member has another value than its default, so that a forgotten one is noticed.
Catalog Unusual() {
  Source source{"s",
                "path",
                "tencent-live",
                {"source-key-1", "source-key-2"},
                Millis(1),
                Millis(2),
                RouteBy::kStreamParam,
                "",
                "tenant",
                false,
                {"314"},
                Millis(3),
                {}};
  source.hmac = {"Sig",
                 HmacAlgorithm::kSha1,
                 SignatureEncoding::kBase64,
                 "{timestamp}{body}",
                 "v1=",
                 ",",
                 "Time",
                 "t=",
                 "{json:a}",
                 "{json:b}",
                 "{json:c}",
                 201,
                 "ok"};
  source.play = {"play.example", "play-secret-key", "show", Millis(12), true};
  Endpoint endpoint;
  endpoint.number = 42;
  endpoint.id = "e";
  endpoint.url = "https://e.example/\"\n";
  endpoint.format = DeliveryFormat::kTencent;
  endpoint.content_mode = ContentMode::kStructured;
  endpoint.redact = {"txSecret", "token"};
  endpoint.ack = AckRule::kCode0;
  endpoint.signing = SigningScheme::kTencent;
  endpoint.signing_secrets = {"webhook-secret-1", "webhook-secret-2"};
  endpoint.signing_key = "tencent-key";
  endpoint.signing_validity = Millis(3);
  endpoint.state = EndpointState::kPaused;
  endpoint.pattern = R"({"a":["\u00e9"]})";
  endpoint.timeout = Millis(4);
  endpoint.deliver_within = Millis(5);
  endpoint.disable_after = Millis(11);
  endpoint.in_flight_max = 6;
  endpoint.retry_schedule = {Millis(7), Millis(8)};
  endpoint.retry_jitter = 0.125;
  endpoint.retry_attempts = 10;
  endpoint.retry_final = {};
  endpoint.retry_only = {500, 503};
  endpoint.retry_after_max = Millis(9);
  endpoint.headers = {{"Authorization", "Bearer header-token"}, {"X", ""}};
  Tenant tenant{"t", {"d"}, {"1"}, {"p"}, {1, 2, 3, 4}, "e", {endpoint}};
  Catalog catalog;
  catalog.sources.push_back(source);
  catalog.tenants.push_back(tenant);
  return catalog;
}

std::string TextOf(const std::vector<Tenant>& tenants, const SecretBox& box) {
  std::vector<const Tenant*> pointers;
  for (const Tenant& tenant : tenants) pointers.push_back(&tenant);
  return EncodeTenants(pointers, box);
}

TEST(CatalogJson, WhatIsWrittenIsReadBackWhole) {
  const SecretBox box = BoxOf(1);
  for (const Catalog& catalog : {Demo(), Unusual(), Catalog()}) {
    const Result<std::vector<Tenant>> tenants = DecodeTenants(TextOf(catalog.tenants, box), &box);
    ASSERT_TRUE(tenants.ok()) << tenants.status().text();
    EXPECT_EQ(*tenants, catalog.tenants);
    const std::map<int, std::string> parts = {{0, "ab"}, {1023, "cd"}};
    const Result<CatalogManifest> manifest =
        DecodeManifest(EncodeManifest({catalog.sources, parts}, box), &box);
    ASSERT_TRUE(manifest.ok()) << manifest.status().text();
    EXPECT_EQ(manifest->sources, catalog.sources);
    EXPECT_EQ(manifest->parts, parts);
  }
}

TEST(CatalogJson, NoSecretIsLegible) {
  const SecretBox box = BoxOf(1);
  const auto all_of = [&box](const Catalog& catalog) {
    return EncodeManifest({catalog.sources, {}}, box) + TextOf(catalog.tenants, box);
  };
  // With a hyphen each, which base64 has not, so that none is there by chance.
  for (const char* secret :
       {"source-key", "webhook-secret", "tencent-key", "header-token", "play-secret-key"}) {
    EXPECT_THAT(all_of(Unusual()), Not(HasSubstr(secret)));
  }
  EXPECT_THAT(all_of(Demo()), Not(HasSubstr("whsec_")));
}

TEST(CatalogJson, AnotherKeyIsNamedAndNothingIsRead) {
  const SecretBox box = BoxOf(1);
  const SecretBox other = BoxOf(2);
  const Status manifest =
      DecodeManifest(EncodeManifest({Demo().sources, {}}, box), &other).status();
  EXPECT_EQ(manifest.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(manifest.text(), HasSubstr("sealed with key " + box.key_id()));
  const Status tenants = DecodeTenants(TextOf(Demo().tenants, box), &other).status();
  EXPECT_EQ(tenants.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(tenants.text(), HasSubstr("sealed with key " + box.key_id()));
}

TEST(CatalogJson, WithoutAKeyIdsAndNumbersCanBeRead) {
  const Result<std::vector<Tenant>> read =
      DecodeTenants(TextOf(Unusual().tenants, BoxOf(1)), nullptr);
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ((*read)[0].endpoints[0].number, 42u);
  EXPECT_EQ((*read)[0].endpoints[0].signing_key, "");
}

// Moving a sealed secret to another tenant's endpoint must not make it sign there.
TEST(CatalogJson, ASecretMovedToAnotherEndpointIsNoticed) {
  const SecretBox box = BoxOf(1);
  std::string text = TextOf(Unusual().tenants, box);
  const size_t id = text.find("\"id\":\"e\"");
  ASSERT_NE(id, std::string::npos);
  text.replace(id, 8, "\"id\":\"f\"");
  EXPECT_THAT(DecodeTenants(text, &box).status().text(), HasSubstr("belongs to another place"));
}

TEST(CatalogJson, BrokenTextsAreRefused) {
  const SecretBox box = BoxOf(1);
  const std::string text = TextOf(Demo().tenants, box);
  EXPECT_THAT(DecodeTenants(text.substr(0, text.size() - 10), &box).status().text(),
              HasSubstr("broken in line 1 of a part"));
  EXPECT_THAT(DecodeTenants("{\"id\":5}\n", &box).status().text(),
              HasSubstr("unexpected value of tenant//id"));
  const auto complaint = [&box](const std::string& manifest) {
    return DecodeManifest(manifest, &box).status().text();
  };
  EXPECT_THAT(complaint(""), HasSubstr("is broken"));
  EXPECT_THAT(complaint(R"({"format":1,"sources":[],"parts":{}})"),
              HasSubstr("another version of relay"));
  EXPECT_THAT(complaint(R"({"format":2,"parts":{}})"), HasSubstr("lacks its sources"));
  for (const char* parts : {"7", R"({"x":"ab"})", R"({"1024":"ab"})", R"({"-1":"ab"})",
                            R"({"1 ":"ab"})", R"({"1":5})"}) {
    EXPECT_THAT(complaint(std::string(R"({"format":2,"sources":[],"parts":)") + parts + "}"),
                HasSubstr("does not name its parts"))
        << parts;
  }
}

TEST(CatalogJson, ADigestNamesEveryByte) {
  EXPECT_EQ(DigestOfPart("abc"), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_NE(DigestOfPart("abd"), DigestOfPart("abc"));
}

TEST(CatalogJson, WhatAnOlderVersionDidNotWriteHasItsDefault) {
  const auto tenants =
      DecodeTenants("{\"id\":\"acme\",\"endpoints\":[{\"number\":1,\"id\":\"a\"}]}\n", nullptr);
  ASSERT_TRUE(tenants.ok()) << tenants.status().text();
  EXPECT_EQ((*tenants)[0].operator_endpoint, "");
  EXPECT_EQ((*tenants)[0].endpoints[0].disable_after, Millis(std::chrono::hours(120)));
}

TEST(CatalogJson, AnEndpointsStateIsRead) {
  const Result<EndpointRuntimeState> state = DecodeEndpointState(
      R"({"paused":true,"disabled":false,"reason":"at night","since_ms":1767225600000})");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(*state, (EndpointRuntimeState{false, true, "at night", 1767225600000}));
  EXPECT_FALSE(DecodeEndpointState("{}").ok());
  EXPECT_FALSE(DecodeEndpointState("nonsense").ok());
}

}  // namespace
}  // namespace relay

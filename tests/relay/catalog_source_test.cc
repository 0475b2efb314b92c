#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/catalog.h"
#include "relay/catalog_snapshot.h"

// What the kinds of providers add to a source of the catalog.

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Catalog> ParseSource(const std::string& provider, const std::string& lines) {
  return ParseCatalogToml(
      "format = 1\n[[tenant]]\nid = \"acme\"\n[[source]]\nid = \"s\"\npath = "
      "\"p\"\nprovider = \"" +
          provider + "\"\n" + lines,
      "catalog.toml");
}

std::string SourceComplaint(const std::string& provider, const std::string& lines,
                            const std::string& route = "{ tenant = \"acme\" }") {
  const Result<Catalog> catalog =
      ParseSource(provider, "keys = [\"k\"]\nroute = " + route + "\n" + lines);
  return catalog.ok() ? "no complaint" : catalog.status().text();
}

std::string HmacComplaint(const std::string& lines) {
  return SourceComplaint("hmac", "[source.hmac]\nheader = \"Sig\"\n" + lines);
}

TEST(CatalogSource, AnHmacIsReadWhole) {
  const Result<Catalog> catalog = ParseSource("hmac", R"(
keys = ["k"]
route = { by = "stream_prefix" }
tolerance = "1m"
[source.hmac]
header = "Sig"
algorithm = "sha512"
encoding = "base64"
signed = "{timestamp}.{header:Id}.{body}"
prefix = "v1="
separator = ","
timestamp_header = "Sig"
timestamp_prefix = "t="
type = "{json:type}"
ordering = "{json:stream}"
dedupe = "{header:Id}"
answer_status = 204
answer_body = ""
)");
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const Source& source = catalog->sources.front();
  EXPECT_EQ(source.tolerance, Millis(60'000));
  const HmacSettings wanted = {"Sig",
                               HmacAlgorithm::kSha512,
                               SignatureEncoding::kBase64,
                               "{timestamp}.{header:Id}.{body}",
                               "v1=",
                               ",",
                               "Sig",
                               "t=",
                               "{json:type}",
                               "{json:stream}",
                               "{header:Id}",
                               204,
                               ""};
  EXPECT_EQ(source.hmac, wanted);
}

TEST(CatalogSource, WhatIsNotKnownIsNoPass) {
  EXPECT_THAT(SourceComplaint("github", ""),
              HasSubstr("this version supports tencent-live, tencent-trtc"));
  EXPECT_THAT(HmacComplaint("algorithm = \"md5\""), HasSubstr("hmac.algorithm: expected"));
  EXPECT_THAT(HmacComplaint("encoding = \"base32\""), HasSubstr("hmac.encoding: expected"));
  EXPECT_THAT(HmacComplaint("signed = \"{body}{url}\""), HasSubstr("unknown variable {url}"));
  EXPECT_THAT(HmacComplaint("type = \"{query:x}\""), HasSubstr("unknown variable {query:x}"));
  EXPECT_THAT(HmacComplaint("algorythm = \"sha1\""), HasSubstr("algorythm"));
  EXPECT_EQ(HmacComplaint(""), "no complaint");
}

TEST(CatalogSource, WhatWouldNotBeSignedIsRefused) {
  EXPECT_THAT(HmacComplaint("signed = \"\""), HasSubstr("must hold {body}"));
  EXPECT_THAT(HmacComplaint("signed = \"{header:Id}\""), HasSubstr("must hold {body}"));
  EXPECT_THAT(HmacComplaint("signed = \"{json:a}{body}\""), HasSubstr("has no place here"));
  EXPECT_THAT(HmacComplaint("signed = \"{timestamp}{body}\""), HasSubstr("go together"));
  EXPECT_THAT(HmacComplaint("timestamp_header = \"Time\""), HasSubstr("go together"));
  EXPECT_THAT(HmacComplaint("timestamp_prefix = \"t=\""), HasSubstr("timestamp_prefix: needs"));
  EXPECT_THAT(HmacComplaint("dedupe = \"{timestamp}\""), HasSubstr("dedupe: expected {header"));
  EXPECT_THAT(HmacComplaint("answer_status = 302"), HasSubstr("answer_status"));
  EXPECT_THAT(SourceComplaint("hmac", "[source.hmac]\nheader = \"a b\"\n"),
              HasSubstr("header name"));
  EXPECT_THAT(SourceComplaint("hmac", "[source.hmac]\n"), HasSubstr("lacks the key \"header\""));
}

TEST(CatalogSource, KeysBelongToTheirKind) {
  EXPECT_THAT(SourceComplaint("hmac", ""), HasSubstr("this table go together"));
  EXPECT_THAT(SourceComplaint("tencent-live", "[source.hmac]\nheader = \"Sig\"\n"),
              HasSubstr("this table go together"));
  EXPECT_THAT(SourceComplaint("tencent-live", "tolerance = \"1m\""),
              HasSubstr("tolerance: belongs to"));
  EXPECT_THAT(SourceComplaint("tencent-trtc", "unsigned_types = [\"314\"]"),
              HasSubstr("unsigned_types: belongs to"));
  EXPECT_EQ(SourceComplaint("tencent-live", "unsigned_types = [\"314\"]"), "no complaint");
  for (const char* type : {"", "-1", "3 14", "12345678901", "push"}) {
    EXPECT_THAT(SourceComplaint("tencent-live", "unsigned_types = [\"" + std::string(type) + "\"]"),
                HasSubstr("expected numbers as strings"))
        << type;
  }
  EXPECT_THAT(SourceComplaint("standard-webhooks", ""), HasSubstr("keys: does not begin with"));
}

TEST(CatalogSource, APlayDomainIsRead) {
  const Result<Catalog> catalog = ParseSource("tencent-live", R"(
keys = ["k"]
route = { tenant = "acme" }
play = { domain = "play.example.com", key = "K", path = "show", valid = "6h", https = true }
)");
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  const PlaySettings wanted = {"play.example.com", "K", "show", std::chrono::hours(6), true};
  EXPECT_EQ(catalog->sources.front().play, wanted);
  EXPECT_EQ(SourceComplaint("tencent-live", "play = { domain = \"play.example.com\" }"),
            "no complaint");
}

TEST(CatalogSource, APlayDomainWithoutAddressesIsRefused) {
  const auto complaint = [](const std::string& play) {
    return SourceComplaint("tencent-live", "play = { " + play + " }");
  };
  EXPECT_THAT(complaint("key = \"K\""), HasSubstr("lacks the key \"domain\""));
  EXPECT_THAT(complaint("domain = \"a/b\""), HasSubstr("play: the domain is a host name"));
  EXPECT_THAT(complaint("domain = \"a.example\", path = \"a b\""), HasSubstr("play: the path"));
  EXPECT_THAT(complaint("domain = \"a.example\", key = \"\""), HasSubstr("key: must not be empty"));
  EXPECT_THAT(complaint("domain = \"a.example\", valid = \"1s\""), HasSubstr("play.valid"));
  EXPECT_THAT(SourceComplaint("volcengine-live", "play = { domain = \"a.example\" }"),
              HasSubstr("play: belongs to"));
}

TEST(CatalogSource, ARouteMustBeWhatTheProviderNames) {
  constexpr char kDomain[] = "{ by = \"push_domain\" }";
  constexpr char kPrefix[] = "{ by = \"stream_prefix\" }";
  EXPECT_EQ(SourceComplaint("volcengine-live", "", kDomain), "no complaint");
  EXPECT_THAT(SourceComplaint("tencent-trtc", "", kDomain), HasSubstr("do not name it"));
  EXPECT_EQ(SourceComplaint("tencent-trtc", "", "{ by = \"appid\" }"), "no complaint");
  EXPECT_EQ(SourceComplaint("tencent-trtc", "", kPrefix), "no complaint");
  EXPECT_THAT(SourceComplaint("hmac", "[source.hmac]\nheader = \"S\"\n", kPrefix),
              HasSubstr("do not name it"));
  EXPECT_THAT(SourceComplaint("standard-webhooks", "", kPrefix), HasSubstr("do not name it"));
}

TEST(CatalogSource, ADiffShowsWhatChanges) {
  Catalog before;
  before.sources.emplace_back().id = "s";
  Catalog after = before;
  after.sources[0].unsigned_types = {"314"};
  after.sources[0].hmac.algorithm = HmacAlgorithm::kSha1;
  EXPECT_THAT(CatalogDiff(*CatalogSnapshot::Of(before), after),
              ElementsAre("~ source/s unsigned_types: [] -> [\"314\"]",
                          "~ source/s hmac.algorithm: sha256 -> sha1"));
}

}  // namespace
}  // namespace relay

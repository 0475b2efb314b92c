#include "broker/providers/hmac_webhook.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/broker/signed_request.h"

namespace relay {
namespace {

using std::chrono::minutes;

const WallTime kArrival = WallTime(Seconds(1703731478));

// The examples of docs/providers.md as one catalog: what is shown there must work.
Catalog Documented() {
  std::ifstream file(RELAY_SOURCE_DIR "/docs/providers.md");
  std::string catalog = "format = 1\n";
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```toml";
    } else if (inside) {
      catalog += line + "\n";
    }
  }
  Result<Catalog> parsed = ParseCatalogToml(catalog, "providers.md");
  EXPECT_TRUE(parsed.ok()) << parsed.status().text();
  return parsed.ok() ? std::move(parsed).value() : Catalog();
}

// The documented source called `id`, under the keys of a test vector.
Source DocumentedSource(const std::string& id, std::vector<std::string> keys) {
  for (Source& source : Documented().sources) {
    if (source.id != id) continue;
    source.keys = std::move(keys);
    return source;
  }
  ADD_FAILURE() << "docs/providers.md shows no source " << id;
  return {};
}

// Every spoilt variant of a signature that is text in one header.
void ExpectVariantsRefused(JudgedSource& source, const SignedRequest& good, const std::string& name,
                           const std::string& prefix, WallTime now) {
  ASSERT_EQ(source.Judge(good, now), Authenticity::kAuthentic);
  const std::string value = good.Header(name);
  std::string other = value;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& spoilt :
       {other, value.substr(0, value.size() - 1), value + "0", value + "=", "\"" + value + "\""}) {
    const Authenticity judged = source.Judge(good.With(name, spoilt), now);
    EXPECT_TRUE(judged == Authenticity::kForged || judged == Authenticity::kUnsigned) << spoilt;
    EXPECT_EQ(source.facts().dedupe_key, "");
  }
  EXPECT_EQ(source.Judge(good.With(name, ""), now), Authenticity::kUnsigned);
  EXPECT_NE(source.Judge(good.With(name, prefix), now), Authenticity::kAuthentic);
  EXPECT_EQ(source.Judge(good.WithBody(good.body + " "), now), Authenticity::kForged);
  EXPECT_EQ(source.Judge(good.WithBody(good.body.substr(1)), now), Authenticity::kForged);
  EXPECT_EQ(source.Judge(good.WithBody(""), now), Authenticity::kForged);
  SignedRequest twice = good;
  twice.headers.emplace_back(name, value);
  EXPECT_EQ(source.Judge(twice, now), Authenticity::kMalformed);
}

// The vector that GitHub publishes.
const SignedRequest kGitHub = {
    {{"X-Hub-Signature-256",
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
     {"X-GitHub-Event", "ping"},
     {"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}},
    "Hello, World!"};
constexpr char kGitHubKey[] = "It's a Secret to Everybody";

TEST(HmacWebhookTest, TakesTheVectorOfGitHubAndNoVariantOfIt) {
  JudgedSource source(DocumentedSource("github", {kGitHubKey}));
  ExpectVariantsRefused(source, kGitHub, "X-Hub-Signature-256", "sha256=", kArrival);
  ASSERT_EQ(source.Judge(kGitHub, kArrival), Authenticity::kAuthentic);
  EXPECT_EQ(source.facts().type, "ping");
  EXPECT_NE(source.facts().dedupe_key.find("72d3162e"), std::string::npos);
  EXPECT_EQ(source.acknowledgement().status, 200);
  // The prefix says which scheme it is.
  const std::string& signed_by = kGitHub.Header("X-Hub-Signature-256");
  EXPECT_EQ(
      source.Judge(kGitHub.With("X-Hub-Signature-256", "sha1=" + signed_by.substr(7)), kArrival),
      Authenticity::kUnsigned);
}

TEST(HmacWebhookTest, EveryKeyIsTried) {
  EXPECT_EQ(JudgedSource(DocumentedSource("github", {"new", kGitHubKey})).Judge(kGitHub, kArrival),
            Authenticity::kAuthentic);
  EXPECT_EQ(JudgedSource(DocumentedSource("github", {"new", "other"})).Judge(kGitHub, kArrival),
            Authenticity::kForged);
  EXPECT_EQ(JudgedSource(DocumentedSource("github", {})).Judge(kGitHub, kArrival),
            Authenticity::kForged);
}

TEST(HmacWebhookTest, WithoutItsDedupeHeaderARepeatIsTheSameBody) {
  JudgedSource source(DocumentedSource("github", {kGitHubKey}));
  source.Judge(kGitHub, kArrival);
  const std::string by_header = source.facts().dedupe_key;
  source.Judge(kGitHub.With("X-GitHub-Delivery", ""), kArrival);
  EXPECT_NE(source.facts().dedupe_key, by_header);
  EXPECT_EQ(source.facts().dedupe_key.size(), 33u);  // A mark and a SHA-256.
}

TEST(HmacWebhookTest, ATypeThatCannotBePrintedIsMalformed) {
  JudgedSource source(DocumentedSource("github", {kGitHubKey}));
  EXPECT_EQ(source.Judge(kGitHub.With("X-GitHub-Event", std::string(101, 'x')), kArrival),
            Authenticity::kMalformed);
  EXPECT_EQ(source.Judge(kGitHub.With("X-GitHub-Event", "a\xff"), kArrival),
            Authenticity::kMalformed);
}

// Made for this test: no vector is published.
constexpr char kStripeSign[] = "394a579987ee4140b15f891813168aac6f21288af6f56116ed183bfb842cab03";
constexpr char kStripeSignOfNew[] =
    "30346d0b6cffc75dff2ab4665be86e40e34886da43a56db2327a9867de8ec3a6";
const SignedRequest kStripe = {
    {{"Stripe-Signature", std::string("t=1703731478,v0=00,v1=") + kStripeSign}},
    R"({"id":"evt_1","object":"event","type":"charge.succeeded"})"};

TEST(HmacWebhookTest, TakesWhatStripeSendsAndNoVariantOfIt) {
  JudgedSource source(DocumentedSource("stripe", {"whsec_test_secret"}));
  ExpectVariantsRefused(source, kStripe, "Stripe-Signature", "t=1703731478,v1=", kArrival);
  ASSERT_EQ(source.Judge(kStripe, kArrival), Authenticity::kAuthentic);
  EXPECT_EQ(source.facts().type, "charge.succeeded");
  EXPECT_NE(source.facts().dedupe_key.find("evt_1"), std::string::npos);
}

TEST(HmacWebhookTest, OneOfSeveralSignaturesIsEnough) {
  const SignedRequest both =
      kStripe.With("Stripe-Signature",
                   std::string("t=1703731478,v1=") + kStripeSignOfNew + ",v1=" + kStripeSign);
  for (const char* key : {"whsec_test_secret", "whsec_new_secret"}) {
    EXPECT_EQ(JudgedSource(DocumentedSource("stripe", {key})).Judge(both, kArrival),
              Authenticity::kAuthentic);
  }
  std::string many = "t=1703731478";
  for (int i = 0; i < 16; ++i) many += std::string(",v1=") + kStripeSignOfNew;
  JudgedSource source(DocumentedSource("stripe", {"whsec_new_secret"}));
  EXPECT_EQ(source.Judge(kStripe.With("Stripe-Signature", many), kArrival),
            Authenticity::kAuthentic);
  EXPECT_EQ(source.Judge(kStripe.With("Stripe-Signature", many + ",v1=0"), kArrival),
            Authenticity::kMalformed);
}

TEST(HmacWebhookTest, ATimestampMustBeSignedAndWithinTheTolerance) {
  JudgedSource source(DocumentedSource("stripe", {"whsec_test_secret"}));
  EXPECT_EQ(source.Judge(kStripe, kArrival + minutes(5)), Authenticity::kAuthentic);
  EXPECT_EQ(source.Judge(kStripe, kArrival + minutes(5) + Seconds(1)), Authenticity::kExpired);
  EXPECT_EQ(source.Judge(kStripe, kArrival - minutes(5) - Seconds(1)), Authenticity::kExpired);
  const auto with_time = [](const std::string& time) {
    return kStripe.With("Stripe-Signature", time + "v1=" + kStripeSign);
  };
  EXPECT_EQ(source.Judge(with_time("t=1703731479,"), kArrival), Authenticity::kForged);
  EXPECT_EQ(source.Judge(with_time(""), kArrival), Authenticity::kUnsigned);
  EXPECT_EQ(source.Judge(with_time("t=,"), kArrival), Authenticity::kUnsigned);
  EXPECT_EQ(source.Judge(with_time("t=1703731478,t=1703731478,"), kArrival),
            Authenticity::kMalformed);
  for (const char* time : {"-1", "1.5", "1703731478000000000000000000000", "0x10", "+1"}) {
    EXPECT_EQ(source.Judge(with_time("t=" + std::string(time) + ","), kArrival),
              Authenticity::kMalformed)
        << time;
  }
}

// The vector that Agora publishes.
const SignedRequest kAgora = {
    {{"Agora-Signature-V2", "de96da5acf03b0021ac3b4fa2225e7ae6f3533a30d50bb02c08ea4fa748bda24"},
     {"Agora-Signature", "5a3bb6a6d9fad2ea9ae3fb707a14c9d7f3136df1"}},
    R"({"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f","notifyMs":1560408533119,)"
    R"("payload":{"a":"1","b":2},"productId":1})"};

TEST(HmacWebhookTest, TakesTheVectorOfAgoraAndNoVariantOfIt) {
  JudgedSource source(DocumentedSource("agora", {"secret"}));
  ExpectVariantsRefused(source, kAgora, "Agora-Signature-V2", "", kArrival);
  ASSERT_EQ(source.Judge(kAgora, kArrival), Authenticity::kAuthentic);
  EXPECT_EQ(source.facts().type, "10");
  EXPECT_NE(source.facts().dedupe_key.find("4eb720f0"), std::string::npos);

  Source old = DocumentedSource("agora", {"secret"});
  old.hmac.header = "Agora-Signature";
  old.hmac.algorithm = HmacAlgorithm::kSha1;
  JudgedSource by_sha1(old);
  ExpectVariantsRefused(by_sha1, kAgora, "Agora-Signature", "", kArrival);
}

TEST(HmacWebhookTest, HexadecimalIsTakenInEitherCaseAndNothingElse) {
  JudgedSource source(DocumentedSource("agora", {"secret"}));
  std::string upper = kAgora.Header("Agora-Signature-V2");
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(source.Judge(kAgora.With("Agora-Signature-V2", upper), kArrival),
            Authenticity::kAuthentic);
  // The same digest in base64.
  EXPECT_EQ(source.Judge(
                kAgora.With("Agora-Signature-V2", "3pbaWs8DsAIaw7T6IiXnrm81M6MNULsCwI6k+nSL2iQ="),
                kArrival),
            Authenticity::kForged);
}

TEST(HmacWebhookTest, SignsWithSha512InBase64AndTheHeadersThatAreNamed) {
  Source source;
  source.provider = "hmac";
  source.keys = {"key"};
  source.hmac.header = "Sig";
  source.hmac.algorithm = HmacAlgorithm::kSha512;
  source.hmac.encoding = SignatureEncoding::kBase64;
  source.hmac.signed_text = "{header:Open}{body}";
  source.hmac.answer_status = 204;
  source.hmac.answer_body = "";
  JudgedSource judged(source);
  // Over "{}", which the header begins and the body ends.
  const SignedRequest good = {{{"Sig",
                                "Vfq9qhgscO4gaxIU1E41DJlHed/DQkGyhtxtPxKizXD2ueV/"
                                "GdZhqG2EhgSHRLoYwP6PgheDB1+QibWF5e3XKQ=="},
                               {"Open", "{"}},
                              "}"};
  EXPECT_EQ(judged.Judge(good, kArrival), Authenticity::kAuthentic);
  EXPECT_EQ(judged.Judge(good.With("Open", "["), kArrival), Authenticity::kForged);
  EXPECT_EQ(judged.Judge(good.With("Open", ""), kArrival), Authenticity::kUnsigned);
  // Other bits that base64 throws away, and no padding.
  EXPECT_EQ(judged.Judge(good.With("Sig",
                                   "Vfq9qhgscO4gaxIU1E41DJlHed/DQkGyhtxtPxKizXD2ueV/"
                                   "GdZhqG2EhgSHRLoYwP6PgheDB1+QibWF5e3XKR=="),
                         kArrival),
            Authenticity::kForged);
  EXPECT_EQ(judged.acknowledgement().status, 204);
  EXPECT_EQ(judged.acknowledgement().body, "");
}

// Settings that no catalog file can hold, as a newer version might write.
TEST(HmacWebhookTest, SettingsThatLeaveOutTheBodyVerifyNothing) {
  for (const char* text : {"", "fixed", "{unknown}{body}", "{"}) {
    Source source = DocumentedSource("agora", {"secret"});
    source.hmac.signed_text = text;
    EXPECT_EQ(JudgedSource(source).Judge(kAgora, kArrival), Authenticity::kForged) << text;
  }
}

TEST(HmacWebhookTest, ABodyThatMustBeJsonAndIsNoneIsMalformed) {
  Source source = DocumentedSource("github", {kGitHubKey});
  source.hmac.ordering = "{json:repository}";
  EXPECT_EQ(JudgedSource(source).Judge(kGitHub, kArrival), Authenticity::kMalformed);
}

}  // namespace
}  // namespace relay

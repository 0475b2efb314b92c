// The resolver against a name server on loopback that says what an attacker would have it say.
#include "workers/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "relay/random.h"
#include "tests/support/fake_name_server.h"
#include "tests/support/run_until.h"
#include "tests/support/webhook_sink.h"
#include "workers/attempt.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using Kind = LookupResult::Kind;

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() { UseThisServer(resolver_); }

  void UseThisServer(AresResolver& resolver) {
    ASSERT_TRUE(resolver.UseServers(server_.address()).ok());
  }
  LookupResult Resolve(AresResolver& resolver, const std::string& host) {
    std::optional<LookupResult> got;
    resolver.Resolve(host, scope_, [&](const LookupResult& result) { got = result; });
    EXPECT_FALSE(got) << "the callback came from inside Resolve()";
    EXPECT_TRUE(RunUntil(loop_, [&] { return got.has_value(); }));
    return got.value_or(LookupResult());
  }
  LookupResult Resolve(const std::string& host) { return Resolve(resolver_, host); }

  SystemLoop loop_;
  FakeNameServer::Answer answer_;
  FakeNameServer server_{loop_, [this](const std::string&, bool) { return answer_; }};
  AddressGuard guard_ = std::move(AddressGuard::Create({}, {})).value();
  AresResolver resolver_{loop_, guard_};
  CallScope scope_;
};

TEST_F(ResolverTest, GivesTheVettedAddressesOfAName) {
  answer_.addresses = {"93.184.216.34", "2606:4700:4700::1111"};
  const LookupResult result = Resolve("customer.example");
  EXPECT_EQ(result.kind, Kind::kVetted);
  EXPECT_EQ(result.addresses.size(), 2u);
}

TEST_F(ResolverTest, OneDeniedAddressBlocksTheName) {
  for (const char* denied : {"127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "0.0.0.0",
                             "::1", "fd00::1", "::ffff:93.184.216.34", "64:ff9b::7f00:1"}) {
    answer_.addresses = {"93.184.216.34", denied};
    // Another name each time, as the answer is remembered.
    EXPECT_EQ(Resolve("n" + std::to_string(server_.questions()) + ".example").kind, Kind::kBlocked)
        << denied;
  }
}

TEST_F(ResolverTest, AnAnswerIsRememberedWithItsVerdict) {
  answer_.addresses = {"93.184.216.34"};
  EXPECT_EQ(resolver_.Cached("customer.example"), nullptr);
  Resolve("customer.example");
  ASSERT_NE(resolver_.Cached("customer.example"), nullptr);
  EXPECT_EQ(resolver_.Cached("customer.example")->kind, Kind::kVetted);
  EXPECT_EQ(server_.questions(), 1);
}

TEST_F(ResolverTest, TheTimeToLiveIsHeldWithinItsBounds) {
  AresResolver::Limits limits;
  limits.ttl_min = Seconds(0);
  limits.ttl_max = Seconds(0);
  AresResolver forgetful(loop_, guard_, limits);
  UseThisServer(forgetful);
  answer_.addresses = {"93.184.216.34"};
  answer_.ttl_s = 86400;
  Resolve(forgetful, "customer.example");
  EXPECT_EQ(forgetful.Cached("customer.example"), nullptr);
  answer_.ttl_s = 0;
  Resolve("customer.example");
  EXPECT_NE(resolver_.Cached("customer.example"), nullptr);
}

TEST_F(ResolverTest, FailuresAreNotRemembered) {
  answer_.no_such_name = true;
  EXPECT_EQ(Resolve("customer.example").kind, Kind::kFailed);
  EXPECT_EQ(resolver_.Cached("customer.example"), nullptr);
  answer_ = {};
  answer_.addresses = {"93.184.216.34"};
  EXPECT_EQ(Resolve("customer.example").kind, Kind::kVetted);
}

TEST_F(ResolverTest, ANameWithoutAddressesFails) {
  EXPECT_EQ(Resolve("empty.example").kind, Kind::kFailed);
}

TEST_F(ResolverTest, ManyWhoAskTheSameShareOneLookup) {
  answer_.addresses = {"93.184.216.34"};
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    resolver_.Resolve("customer.example", scope_, [&](const LookupResult&) { ++answered; });
  }
  ASSERT_TRUE(RunUntil(loop_, [&] { return answered == 100; }));
  EXPECT_EQ(server_.questions(), 1);
}

TEST_F(ResolverTest, ASilentServerFailsInTime) {
  AresResolver::Limits limits;
  limits.lookup_timeout = Millis(100);
  AresResolver impatient(loop_, guard_, limits);
  UseThisServer(impatient);
  answer_.silent = true;
  const MonoTime before = loop_.clock().Now();
  EXPECT_EQ(Resolve(impatient, "customer.example").kind, Kind::kFailed);
  EXPECT_GE(loop_.clock().Now() - before, Millis(100));
  EXPECT_LT(loop_.clock().Now() - before, Millis(3000));
}

TEST_F(ResolverTest, TooManyLookupsAtATimeFailAtOnce) {
  AresResolver::Limits limits;
  limits.lookups_max = 2;
  AresResolver busy(loop_, guard_, limits);
  UseThisServer(busy);
  answer_.silent = true;
  for (const char* host : {"a.example", "b.example"}) {
    busy.Resolve(host, scope_, [](const LookupResult&) {});
  }
  EXPECT_EQ(Resolve(busy, "c.example").why, "too many lookups at a time");
}

TEST_F(ResolverTest, RemembersNoMoreNamesThanItMay) {
  AresResolver::Limits limits;
  limits.entries_max = 2;
  AresResolver small(loop_, guard_, limits);
  UseThisServer(small);
  answer_.addresses = {"93.184.216.34"};
  for (const char* host : {"a.example", "b.example", "c.example"}) Resolve(small, host);
  EXPECT_EQ(small.Cached("a.example"), nullptr);
  EXPECT_NE(small.Cached("b.example"), nullptr);
  EXPECT_NE(small.Cached("c.example"), nullptr);
}

TEST_F(ResolverTest, WhoHasGoneIsNotTold) {
  answer_.addresses = {"93.184.216.34"};
  bool told = false;
  {
    CallScope gone;
    resolver_.Resolve("customer.example", gone, [&](const LookupResult&) { told = true; });
  }
  EXPECT_EQ(Resolve("customer.example").kind, Kind::kVetted);
  EXPECT_FALSE(told);
}

TEST_F(ResolverTest, MayEndWithLookupsUnderWay) {
  answer_.silent = true;
  auto ending = std::make_unique<AresResolver>(loop_, guard_);
  UseThisServer(*ending);
  bool told = false;
  ending->Resolve("customer.example", scope_, [&](const LookupResult&) { told = true; });
  ending.reset();
  EXPECT_EQ(Resolve("localhost").kind, Kind::kBlocked);
  EXPECT_FALSE(told);
}

// Also where there is no hosts file, and whatever a name server would say.
TEST_F(ResolverTest, LocalhostIsTheLoopbackWithoutALookup) {
  EXPECT_EQ(Resolve("localhost").kind, Kind::kBlocked);
  Settings::Guard terms;
  terms.allow_private = {"127.0.0.0/8", "::1/128"};
  const AddressGuard open = std::move(AddressGuard::Create(terms, {})).value();
  AresResolver resolver(loop_, open);
  EXPECT_EQ(Resolve(resolver, "localhost").kind, Kind::kVetted);
}

// DNS rebinding: the name is harmless when it is looked at and private a moment later. Here
// 127.0.0.2 stands for the harmless address and 127.0.0.1, where somebody listens, for the prey.
TEST_F(ResolverTest, ANameThatFlipsNeverGetsAConnectionToADeniedAddress) {
  WebhookSink prey(loop_, [](WebhookSink::Connection& c, const std::string&) { c.Answer(200); });
  Settings settings;
  settings.guard.ports = {};
  settings.guard.allow_private = {"127.0.0.2/32"};
  const AddressGuard guard = std::move(AddressGuard::Create(settings.guard, {})).value();
  AresResolver::Limits limits;
  limits.ttl_min = Seconds(0);
  limits.ttl_max = Seconds(0);  // Every attempt looks it up again.
  AresResolver resolver(loop_, guard, limits);
  FakeNameServer flipping(loop_, [&](const std::string&, bool) {
    FakeNameServer::Answer answer;
    answer.addresses = {flipping.questions() % 2 ? "127.0.0.2" : "127.0.0.1"};
    return answer;
  });
  ASSERT_TRUE(resolver.UseServers(flipping.address()).ok());

  CurlHttpClient http(loop_, {});
  Random random(1);
  Attempts attempts(loop_, http, resolver, guard, settings.delivery, random);
  Catalog catalog;
  catalog.tenants.resize(1);
  catalog.tenants[0].endpoints.resize(1);
  Endpoint& endpoint = catalog.tenants[0].endpoints[0];
  endpoint.number = 1;
  endpoint.url = "http://flip.example:" + std::to_string(prey.port()) + "/";
  AttemptRequest request;
  request.catalog = CatalogSnapshot::Of(catalog);
  request.tenant = request.catalog->FindTenant("");
  request.endpoint = &request.tenant->endpoints[0];
  request.event = std::make_shared<const Event>();

  constexpr int kTries = 200;
  std::map<AttemptOutcome, int> outcomes;
  for (int i = 0; i < kTries; ++i) {
    bool over = false;
    const auto attempt = attempts.Start(request, [&](AttemptResult result) {
      ++outcomes[result.outcome];
      over = true;
    });
    ASSERT_TRUE(RunUntil(loop_, [&] { return over; }));
  }
  EXPECT_THAT(outcomes, ElementsAre(Pair(AttemptOutcome::kUnreachable, kTries / 2),
                                    Pair(AttemptOutcome::kBlocked, kTries / 2)));
  EXPECT_EQ(prey.accepted(), 0);
}

}  // namespace
}  // namespace relay

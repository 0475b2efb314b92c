#include "broker/ingress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/refusal_record.h"
#include "relay/stream_layout.h"
#include "relay/unrouted_event.h"
#include "tests/broker/callback_builder.h"
#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::HasSubstr;

constexpr int kInFlightMax = 200;

class IngressTest : public testing::Test {
 protected:
  static constexpr int kPartitions = 4;

  IngressTest() {
    control_.On("XADD", RedisValue::Text("1-0"));
    ingress_ = std::make_unique<Ingress>(loop_, std::vector<RedisClient*>{&store_}, kPartitions,
                                         admission_, held_quota_, refusals_, metrics_,
                                         [this](Ingress::Ticket ticket, const HttpAnswer& answer) {
                                           answers_[ticket] = Said(answer);
                                         });
    ingress_->SetCatalog(MakeCatalog());
    ingress_->SetReady(true);
  }

  static CatalogPtr MakeCatalog() {
    Catalog catalog;
    Source fixed;
    fixed.id = "demo";
    fixed.path = "demo";
    fixed.provider = "tencent-live";
    fixed.keys = {std::string(kTestKey)};
    fixed.route_tenant = "acme";
    Source by_domain = fixed;
    by_domain.id = by_domain.path = "by-domain";
    by_domain.route_by = RouteBy::kPushDomain;
    Source strict = by_domain;
    strict.id = strict.path = "strict";
    strict.keep_unroutable = false;
    catalog.sources = {fixed, by_domain, strict};
    Tenant acme;
    acme.id = "acme";
    acme.limits.accept_per_s = 2;
    acme.limits.held_deliveries = 100;
    catalog.tenants = {acme};
    return CatalogSnapshot::Of(catalog, 7);
  }

  // `source` alone, for the tenant acme.
  static CatalogPtr CatalogOf(Source source) {
    source.id = source.path;
    source.route_tenant = "acme";
    Catalog catalog;
    catalog.sources = {std::move(source)};
    catalog.tenants.emplace_back().id = "acme";
    return CatalogSnapshot::Of(catalog, 8);
  }

  // "200 {"code":0}", then the extra headers.
  static std::string Said(const HttpAnswer& answer) {
    return std::to_string(answer.status) + " " + std::string(answer.body) +
           (answer.extra_headers.empty() ? "" : " " + std::string(answer.extra_headers));
  }
  // The answer given at once, or "" when the event is on its way.
  std::string Take(const std::string& path, const std::string& body, Ingress::Ticket ticket = 0,
                   std::string_view method = "POST") {
    request_.method = method;
    request_.path = path;
    request_.headers = headers_;
    request_.body = body;
    request_.arrived = loop_.Now();
    const auto answer = ingress_->Take(ticket, request_, [] { return std::string("10.0.0.9"); });
    return answer ? Said(*answer) : "";
  }
  std::string Body() { return PushBody(loop_.clock().WallNow()); }
  // The answer that came later; "" while there is none.
  std::string Later(Ingress::Ticket ticket) {
    loop_.RunReady();
    return answers_[ticket];
  }
  double Refused(const std::string& source, const std::string& reason) {
    return metrics_
        .GetCounter("relay_refused_total", "Requests that were not acknowledged",
                    {{"source", source}, {"reason", reason}})
        .Value();
  }
  // The fields of an XADD, which follow the id "*".
  static RedisValue FieldsOf(const FakeRedisCall& call) {
    auto id = std::find(call.args.begin(), call.args.end(), "*");
    std::vector<RedisValue> items;
    for (++id; id != call.args.end(); ++id) items.push_back(RedisValue::Text(*id));
    return RedisValue::Array(std::move(items));
  }

  SimulatedLoop loop_;
  Metrics metrics_;
  FakeRedis store_{loop_};
  FakeRedis control_{loop_};
  Admission admission_{loop_.clock(), {.in_flight_max = kInFlightMax}, metrics_};
  HeldQuota held_quota_{loop_, control_, kPartitions, admission_};
  RefusalLog refusals_{loop_.clock(), control_, metrics_};
  std::unique_ptr<Ingress> ingress_;
  std::map<Ingress::Ticket, std::string> answers_;
  std::vector<HttpHeader> headers_;
  HttpRequest request_;
};

// The heart of the promise: no 200 before Redis has spoken.
TEST_F(IngressTest, AcknowledgesOnlyAfterRedisHasAnswered) {
  EXPECT_EQ(Take("/in/demo", Body(), 5), "");
  EXPECT_EQ(Later(5), "");
  ASSERT_EQ(store_.unanswered(), 1u);
  store_.Answer(RedisValue::Text("1767225600000-0"));
  EXPECT_EQ(Later(5), "200 {\"code\":0}");
  EXPECT_EQ(admission_.in_flight(), 0);
}

// Each source answers as its own provider wants it, whatever the catalog has become meanwhile.
TEST_F(IngressTest, AnswersAsTheSourceSaysThatTookTheCallback) {
  Source source;
  source.path = "agora";
  source.provider = "hmac";
  source.keys = {"secret"};
  source.hmac.header = "Agora-Signature-V2";
  source.hmac.answer_status = 202;
  source.hmac.answer_body = "thank you, this is all that we wanted to know";
  ingress_->SetCatalog(CatalogOf(source));
  headers_ = {
      {"Agora-Signature-V2", "de96da5acf03b0021ac3b4fa2225e7ae6f3533a30d50bb02c08ea4fa748bda24"}};
  const std::string body = R"({"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f",)"
                           R"("notifyMs":1560408533119,"payload":{"a":"1","b":2},"productId":1})";
  EXPECT_EQ(Take("/in/agora", body, 5), "");
  // The verifier that took it is gone when Redis answers.
  ingress_->SetCatalog(MakeCatalog());
  loop_.RunReady();
  store_.Answer(RedisValue::Text("1767225600000-0"));
  EXPECT_EQ(Later(5), "202 thank you, this is all that we wanted to know");
}

// A verifier that is handed on to the next catalog must be that of its source.
TEST_F(IngressTest, ANewKeyCountsFromTheNextCatalogOn) {
  Source source;
  source.path = "demo";
  source.provider = "tencent-live";
  source.keys = {"another-key"};
  ingress_->SetCatalog(CatalogOf(source));
  EXPECT_THAT(Take("/in/demo", Body()), HasSubstr("forged"));
  ingress_->SetCatalog(MakeCatalog());
  EXPECT_EQ(Take("/in/demo", Body()), "");
  ingress_->SetCatalog(MakeCatalog());
  EXPECT_EQ(Take("/in/demo", Body(), 1), "");
}

TEST_F(IngressTest, StoresTheEventByteForByte) {
  headers_ = {{"Content-Type", "application/json"},
              {"X-Other", "1"},
              {"Relay-Hops", "2"},
              {"Authorization", "secret"}};
  const std::string body = " " + Body() + "\r\n";
  Take("/in/demo", body);
  ASSERT_EQ(store_.unanswered(), 1u);
  const FakeRedisCall& call = store_.Oldest();
  EXPECT_EQ(call.verb, "XADD");
  const Result<Event> event = DecodeEventFields(FieldsOf(call));
  ASSERT_TRUE(event.ok()) << event.status().ToString();
  EXPECT_EQ(event->body, body);
  EXPECT_EQ(event->source, "demo");
  EXPECT_EQ(event->tenant, "acme");
  EXPECT_EQ(event->type, "1");
  EXPECT_EQ(event->ordering_key, "test_stream");
  EXPECT_EQ(event->headers, "content-type: application/json\nrelay-hops: 2\n");
  EXPECT_EQ(event->catalog_version, 7u);
  EXPECT_EQ(event->window_ms, 30 * 60 * 1000);
  EXPECT_EQ(event->accepted_us, MicrosSinceEpoch(loop_.clock().WallNow()));
  EXPECT_EQ(event->id.size(), 32u);
  const int partition = PartitionOf("acme", "test_stream", event->id, kPartitions);
  EXPECT_EQ(call.args[0], PartitionKeys::For(partition, kPartitions).normal);
}

TEST_F(IngressTest, WhatRedisRefusesIsAnswered503) {
  for (const char* error : {"OOM command not allowed", "MISCONF Redis is configured",
                            "READONLY You can't write", "LOADING Redis is loading", "ERR other"}) {
    loop_.Advance(Seconds(1));
    EXPECT_EQ(Take("/in/demo", Body()), "");
    store_.Answer(RedisValue::Error(error));
    EXPECT_EQ(Later(0), "503 {\"code\":503,\"error\":\"store_refused\"} Retry-After: 2\r\n");
  }
  EXPECT_EQ(Refused("demo", "store_refused"), 5);
  EXPECT_EQ(admission_.in_flight(), 0);
}

TEST_F(IngressTest, AStoreOfUnknownOutcomeIsAnswered503) {
  Take("/in/demo", Body(), 0);
  Take("/in/demo", Body(), 1);
  store_.Answer(Status::DeadlineExceeded("no answer"));
  EXPECT_THAT(Later(0), HasSubstr("503 {\"code\":503,\"error\":\"store_timed_out\"}"));
  store_.TakeDown();
  EXPECT_THAT(Later(1), HasSubstr("503 {\"code\":503,\"error\":\"store_unavailable\"}"));
}

TEST_F(IngressTest, WhileNotReadyEveryCallbackIsToldToComeAgain) {
  ingress_->SetReady(false);
  EXPECT_EQ(Take("/in/demo", Body()),
            "503 {\"code\":503,\"error\":\"not_ready\"} Retry-After: 5\r\n");
  EXPECT_EQ(Take("/in/nowhere", Body()),
            "503 {\"code\":503,\"error\":\"not_ready\"} Retry-After: 5\r\n");
  EXPECT_EQ(store_.calls().size(), 0u);
}

TEST_F(IngressTest, OtherPathsAreUnknown) {
  for (const char* path : {"/", "/in", "/in/", "/in/nowhere", "/in/demo/", "/in/DEMO", "/IN/demo",
                           "/in//demo", "/in/%64emo", "/healthz"}) {
    EXPECT_THAT(Take(path, Body()), HasSubstr("404 {\"code\":404,\"error\":\"")) << path;
  }
  EXPECT_EQ(Refused("-", "not_found") + Refused("-", "unknown_source"), 10);
}

TEST_F(IngressTest, OnlyPostIsTaken) {
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(Take("/in/demo", "", 0, method),
              "405 {\"code\":405,\"error\":\"method\"} Allow: POST\r\n");
  }
}

TEST_F(IngressTest, BadCallbacksAreRefusedAndCounted) {
  const WallTime now = loop_.clock().WallNow();
  const std::string t = std::to_string(SecondsSinceEpoch(now) + 600);
  const struct {
    std::string body;
    int status;
    std::string word;
  } cases[] = {
      {"", 400, "malformed"},
      {"{\"a\":}", 400, "malformed"},
      {"{\"t\":1," + Body().substr(1), 400, "malformed"},
      {SignedBody("\"a\":1", t + ".0"), 400, "malformed"},
      {SignedBody("\"a\":1", "99999999999999999999"), 400, "malformed"},
      {"{\"t\":" + t + "}", 403, "unsigned"},
      {"{\"t\":" + t + ",\"sign\":\"7e686adf6045c49cee873dc7d8eb05af\"}", 403, "forged"},
      {PushBody(now - std::chrono::hours(1)), 403, "expired"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Take("/in/demo", one.body), std::to_string(one.status) +
                                              " {\"code\":" + std::to_string(one.status) +
                                              ",\"error\":\"" + one.word + "\"}")
        << one.body;
  }
  EXPECT_EQ(Refused("demo", "malformed"), 5);
  EXPECT_EQ(Refused("demo", "unsigned"), 1);
  EXPECT_EQ(Refused("demo", "forged"), 1);
  EXPECT_EQ(Refused("demo", "expired"), 1);
  EXPECT_EQ(store_.calls().size(), 0u);
}

TEST_F(IngressTest, ARefusalIsKeptForTheOperatorWithoutItsBody) {
  Take("/in/demo", "{\"t\":1,\"sign\":\"7e686adf6045c49cee873dc7d8eb05af\",\"secret\":1}");
  ASSERT_EQ(control_.CountOf("XADD"), 1);
  const FakeRedisCall& call = control_.calls().back();
  EXPECT_EQ(call.args[0], kRefusedKey);
  const Result<RefusalRecord> record = DecodeRefusal(FieldsOf(call));
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->source, "demo");
  EXPECT_EQ(record->reason, "forged");
  EXPECT_EQ(record->peer, "10.0.0.9");
  EXPECT_EQ(record->status, 403);
  for (const std::string& arg : call.args) EXPECT_THAT(arg, testing::Not(HasSubstr("secret")));
}

TEST_F(IngressTest, AFloodOfRefusalsDoesNotReachRedis) {
  for (int i = 0; i < 1000; ++i) Take("/in/demo", "garbage");
  EXPECT_EQ(control_.CountOf("XADD"), RefusalLog::kPerSecondMax);
  EXPECT_EQ(Refused("demo", "malformed"), 1000);
  loop_.Advance(Seconds(1));
  Take("/in/demo", "garbage");
  EXPECT_EQ(control_.CountOf("XADD"), RefusalLog::kPerSecondMax + 1);
}

TEST_F(IngressTest, WhatTheServerRefusedIsCountedToo) {
  ingress_->NoteServerRefusal("two_content_lengths", 400);
  EXPECT_EQ(Refused("-", "two_content_lengths"), 1);
}

TEST_F(IngressTest, AnUnroutableCallbackIsKeptAndThenAcknowledged) {
  EXPECT_EQ(Take("/in/by-domain", Body(), 3), "");
  EXPECT_EQ(Later(3), "");
  ASSERT_EQ(store_.unanswered(), 1u);
  EXPECT_EQ(store_.Oldest().args[0], kUnroutedKey);
  const Result<UnroutedEvent> kept = DecodeUnrouted(FieldsOf(store_.Oldest()));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->attributes.push_domain, "test.domain.com");
  EXPECT_EQ(kept->event.tenant, "");
  store_.Answer(RedisValue::Text("1-1"));
  EXPECT_EQ(Later(3), "200 {\"code\":0}");
}

TEST_F(IngressTest, WhereTheSourceSaysSoAnUnroutableCallbackIs503) {
  EXPECT_EQ(Take("/in/strict", Body()),
            "503 {\"code\":503,\"error\":\"unroutable\"} Retry-After: 2\r\n");
  EXPECT_EQ(store_.calls().size(), 0u);
}

TEST_F(IngressTest, OverATenantsRateIs429) {
  for (Ingress::Ticket ticket : {0, 1}) {
    Take("/in/demo", Body(), ticket);
    store_.Answer(RedisValue::Text("1-1"));
    EXPECT_EQ(Later(ticket), "200 {\"code\":0}");
  }
  EXPECT_EQ(Take("/in/demo", Body()), "429 {\"code\":429,\"error\":\"rate\"} Retry-After: 1\r\n");
}

TEST_F(IngressTest, OverTheStoresInFlightIs503) {
  for (uint32_t i = 0; i < kInFlightMax; ++i) EXPECT_EQ(Take("/in/by-domain", Body(), i), "");
  EXPECT_EQ(Take("/in/by-domain", Body(), kInFlightMax),
            "503 {\"code\":503,\"error\":\"in_flight\"} Retry-After: 1\r\n");
  store_.Answer(RedisValue::Text("1-1"));
  loop_.RunReady();
  EXPECT_EQ(Take("/in/by-domain", Body(), 0), "");
}

// At twice of what Redis can store, what waits must not grow until all of it is too late.
TEST_F(IngressTest, WhileRedisIsBehindIs503) {
  constexpr uint32_t kWaiting = StoreBacklog::kAlways;
  for (uint32_t i = 0; i < kWaiting; ++i) EXPECT_EQ(Take("/in/by-domain", Body(), i), "");
  loop_.Advance(StoreBacklog::kPatience);
  EXPECT_EQ(Take("/in/by-domain", Body(), kWaiting),
            "503 {\"code\":503,\"error\":\"redis_slow\"} Retry-After: 1\r\n");
  EXPECT_EQ(admission_.in_flight(), static_cast<int>(kWaiting));
  store_.Answer(RedisValue::Text("1-1"));
  loop_.RunReady();
  EXPECT_EQ(Take("/in/by-domain", Body(), 0), "");
}

TEST_F(IngressTest, ARepeatHasTheSameEventId) {
  Take("/in/demo", Body(), 0);
  store_.Answer(RedisValue::Text("1-1"));
  loop_.Advance(Seconds(60));
  Take("/in/demo", Body(), 1);
  ASSERT_EQ(store_.calls().size(), 2u);
  EXPECT_EQ(DecodeEventFields(FieldsOf(store_.calls()[0]))->id,
            DecodeEventFields(FieldsOf(store_.calls()[1]))->id);
}

TEST_F(IngressTest, ANewCatalogDoesNotDisturbWhatIsInFlight) {
  Take("/in/demo", Body(), 0);
  ingress_->SetCatalog(std::make_shared<CatalogSnapshot>());
  store_.Answer(RedisValue::Text("1-1"));
  EXPECT_EQ(Later(0), "200 {\"code\":0}");
  EXPECT_THAT(Take("/in/demo", Body()), HasSubstr("404"));
}

TEST(KeepHeadersTest, KeepsFewAndDropsWhatIsTooLongOrUnclean) {
  const std::string longish(600, 'a');
  const std::vector<HttpHeader> headers = {{"CONTENT-TYPE", longish},
                                           {"traceparent", longish},
                                           {"tracestate", "a\nx: y"},
                                           {"relay-hops", "1"}};
  HttpRequest request;
  request.headers = headers;
  std::string kept;
  KeepHeaders(request, kept);
  EXPECT_EQ(kept, "content-type: " + longish + "\nrelay-hops: 1\n");
}

}  // namespace
}  // namespace relay

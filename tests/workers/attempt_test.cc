#include "workers/attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "relay/tencent_signature.h"
#include "relay/webhook_signature.h"
#include "tests/support/fake_http_client.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kEventId = "0123456789abcdef0123456789abcdef";

class AttemptTest : public ::testing::Test {
 protected:
  AttemptTest() {
    resolver_.Set("customer.example", "93.184.216.34");
    endpoint_.number = 7;
    endpoint_.id = "hook";
    endpoint_.url = "https://customer.example/in?x=1";
    event_.id = kEventId;
    event_.body = R"({"event_type":1,"t":1600000000,"sign":"old"})";
    loop_.RunReady();
  }

  // Starts an attempt of the endpoint as it is set up now, in a snapshot of its own.
  void Start() {
    Catalog catalog;
    catalog.sources = sources_;
    catalog.tenants.resize(1);
    catalog.tenants[0].id = "acme";
    catalog.tenants[0].endpoints = {endpoint_};
    AttemptRequest request;
    request.catalog = CatalogSnapshot::Of(catalog);
    request.tenant = request.catalog->FindTenant("acme");
    request.endpoint = &request.tenant->endpoints[0];
    request.event = std::make_shared<const Event>(event_);
    request.entry_id = "1700000000000-3";
    request.attempts_made = attempts_made_;
    request.stream_verdict = stream_verdict_;
    result_.reset();
    attempt_ = attempts_.Start(std::move(request), [this](AttemptResult r) { OnResult(r); });
    EXPECT_FALSE(result_) << "the callback came from inside Start()";
    loop_.RunReady();
  }
  void OnResult(const AttemptResult& result) {
    attempt_.reset();  // As a real owner does.
    result_ = result;
  }
  const FakeHttpClient::Request& request() const { return http_.requests().back(); }
  AttemptOutcome AnswerWith(HttpReply reply) {
    Start();
    http_.Answer(http_.requests().size() - 1, std::move(reply));
    loop_.RunReady();
    return result_.value().outcome;
  }
  AttemptOutcome AnswerWith(int status, const std::string& body = "") {
    HttpReply reply;
    reply.status = status;
    reply.answer = body;
    reply.answer_whole = true;
    return AnswerWith(std::move(reply));
  }

  SimulatedLoop loop_;
  FakeHttpClient http_{loop_};
  FakeResolver resolver_{loop_};
  Settings settings_;
  AddressGuard guard_ = std::move(AddressGuard::Create(settings_.guard, {})).value();
  Random random_{11};
  Attempts attempts_{loop_, http_, resolver_, guard_, settings_.delivery, random_};
  Endpoint endpoint_;
  Event event_;
  std::vector<Source> sources_;
  int attempts_made_ = 0;
  std::string_view stream_verdict_;
  std::optional<AttemptResult> result_;
  std::unique_ptr<Attempt> attempt_;
};

// ---- What goes out

TEST_F(AttemptTest, SendsTheBodyByteForByteWithTheHeadersOfADelivery) {
  event_.headers = "content-type: application/json; charset=utf-8\nuser-agent: cloud\n";
  endpoint_.headers = {{"X-Team", "live"}};
  attempts_made_ = 2;
  Start();
  EXPECT_EQ(request().url, "https://customer.example/in?x=1");
  EXPECT_EQ(request().address, *IpAddress::Parse("93.184.216.34"));
  EXPECT_EQ(request().body, event_.body);
  EXPECT_EQ(request().Header("webhook-id"), kEventId);
  EXPECT_EQ(request().Header("webhook-timestamp"), "1767225600");
  EXPECT_EQ(request().Header("webhook-signature"), "");
  EXPECT_EQ(request().Header("relay-attempt"), "3");
  EXPECT_EQ(request().Header("relay-endpoint"), "acme/hook");
  EXPECT_EQ(request().Header("relay-sequence"), "1700000000000-3");
  EXPECT_EQ(request().Header("relay-hops"), "1");
  EXPECT_EQ(request().Header("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(request().Header("user-agent"), "callback-relay/" RELAY_VERSION);
  EXPECT_EQ(request().Header("X-Team"), "live");
}

TEST_F(AttemptTest, SignsForEachSecretUnderTheTimeOfThisAttempt) {
  endpoint_.signing = SigningScheme::kStandardWebhooks;
  endpoint_.signing_secrets = {"whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=", kSecret};
  loop_.Advance(Seconds(100));
  Start();
  for (const std::string& secret : endpoint_.signing_secrets) {
    EXPECT_EQ(WebhookSigner::Create({secret})->Verify(
                  request().Header("webhook-id"), request().Header("webhook-timestamp"),
                  request().Header("webhook-signature"), request().body, loop_.clock().WallNow()),
              WebhookVerdict::kAuthentic);
  }
  EXPECT_EQ(request().Header("webhook-timestamp"), "1767225700");
}

TEST_F(AttemptTest, TheTencentFormatIsSignedWithTheCustomersKeyAndAFreshExpiry) {
  endpoint_.format = DeliveryFormat::kTencent;
  endpoint_.signing = SigningScheme::kTencent;
  endpoint_.signing_key = "customer-key";
  Start();
  const std::string t = std::to_string(1767225600 + 600);
  EXPECT_EQ(request().body, R"({"event_type":1,"t":)" + t + R"(,"sign":")" +
                                TencentSignature().Sign("customer-key", t) + "\"}");
}

// The wrapped bodies too: a receiver verifies what it got, and unwraps afterwards.
TEST_F(AttemptTest, EveryFormatIsSignedOverTheBytesThatAreSent) {
  sources_.resize(1);
  sources_[0].id = event_.source = "live";
  sources_[0].provider = "tencent-live";
  event_.type = "1";
  event_.headers = "content-type: application/json; charset=utf-8\n";
  stream_verdict_ = "stale";
  endpoint_.signing = SigningScheme::kStandardWebhooks;
  endpoint_.signing_secrets = {kSecret};
  const auto send_as = [this](DeliveryFormat format, ContentMode mode) {
    endpoint_.format = format;
    endpoint_.content_mode = mode;
    Start();
    EXPECT_EQ(WebhookSigner::Create({kSecret})->Verify(
                  request().Header("webhook-id"), request().Header("webhook-timestamp"),
                  request().Header("webhook-signature"), request().body, loop_.clock().WallNow()),
              WebhookVerdict::kAuthentic);
    return request().Header("content-type");
  };
  EXPECT_EQ(send_as(DeliveryFormat::kCloudEvents, ContentMode::kBinary),
            "application/json; charset=utf-8");
  EXPECT_EQ(request().body, event_.body);
  EXPECT_EQ(request().Header("ce-type"), "com.tencent.live.stream.started");
  EXPECT_EQ(send_as(DeliveryFormat::kCloudEvents, ContentMode::kStructured),
            "application/cloudevents+json");
  EXPECT_THAT(request().body, StartsWith(R"({"specversion":"1.0","id":")"));
  EXPECT_EQ(send_as(DeliveryFormat::kNormalized, ContentMode::kBinary), "application/json");
  EXPECT_THAT(request().body, StartsWith(R"({"id":")"));
  EXPECT_THAT(request().body, HasSubstr(R"("stream_state":"stale")"));
  EXPECT_EQ(request().Header("ce-type"), "");
}

TEST_F(AttemptTest, WhatIsRedactedForOneIsWholeForAnother) {
  event_.body = R"({"stream_param":"txSecret=5a","t":1,"sign":"old"})";
  endpoint_.format = DeliveryFormat::kTencent;
  endpoint_.signing = SigningScheme::kTencent;
  endpoint_.signing_key = "customer-key";
  endpoint_.redact = {"txSecret"};
  Start();
  EXPECT_THAT(request().body, StartsWith(R"({"stream_param":"txSecret=***","t":17)"));
  // No place for a signature, but one for a secret.
  event_.body = "txSecret=5a&a=1";
  Start();
  EXPECT_EQ(request().body, "txSecret=***&a=1");
  endpoint_.format = DeliveryFormat::kRaw;
  endpoint_.redact = {};
  Start();
  EXPECT_EQ(request().body, event_.body);
}

TEST_F(AttemptTest, TheEndpointsOwnHeadersTakeThePlaceOfOurs) {
  endpoint_.headers = {{"Content-Type", "text/x-own"}, {"User-Agent", "own"}, {"traceparent", "t"}};
  Start();
  EXPECT_EQ(request().Header("content-type"), "");
  EXPECT_EQ(request().Header("Content-Type"), "text/x-own");
  EXPECT_EQ(request().Header("user-agent"), "");
  EXPECT_EQ(request().Header("traceparent"), "t");
}

TEST_F(AttemptTest, AnIncomingTraceGoesOnUnderANewSpan) {
  event_.headers = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n";
  Start();
  const std::string trace = request().Header("traceparent");
  EXPECT_THAT(trace, StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_THAT(trace, SizeIs(55));
  EXPECT_EQ(trace.substr(52), "-01");
  EXPECT_NE(trace.substr(36, 16), "00f067aa0ba902b7");
}

TEST_F(AttemptTest, WithoutAUsableTraceOneBeginsWithTheEventsId) {
  for (const char* header : {"", "traceparent: junk\n",
                             "traceparent: 00-"
                             "00000000000000000000000000000000"
                             "-00f067aa0ba902b7-01\n",
                             "traceparent: ff-4bf92f3577b34da6a3ce929d0e0e4736-"
                             "00f067aa0ba902b7-01\n"}) {
    event_.headers = header;
    Start();
    EXPECT_THAT(request().Header("traceparent"), StartsWith(std::string("00-") + kEventId + "-"));
  }
}

TEST_F(AttemptTest, HopsAreCountedOnAndALoopIsSeen) {
  event_.headers = "relay-hops: 3\n";
  EXPECT_FALSE(HasTooManyHops(event_));
  Start();
  EXPECT_EQ(request().Header("relay-hops"), "4");
  event_.headers = "relay-hops: 4\n";
  EXPECT_TRUE(HasTooManyHops(event_));
  Start();
  EXPECT_EQ(result_.value().outcome, AttemptOutcome::kLoop);
  EXPECT_THAT(http_.requests(), SizeIs(1));
  event_.headers = "relay-hops: 99999999999999999999\n";
  EXPECT_TRUE(HasTooManyHops(event_));
  event_.headers = "relay-hops: -1\n";
  EXPECT_FALSE(HasTooManyHops(event_));
  event_.headers = "x-relay-hops: 9\n";
  EXPECT_FALSE(HasTooManyHops(event_));
}

TEST_F(AttemptTest, AKeptHeaderCannotSmuggleAnother) {
  event_.headers = "content-type: text/plain\rX-Evil: 1\n";
  Start();
  EXPECT_EQ(request().headers.find('\r'), std::string::npos);
}

TEST_F(AttemptTest, TheTimeoutIsTheEndpointsWithinTheLimitOfAll) {
  endpoint_.timeout = Millis(3000);
  Start();
  EXPECT_EQ(request().timeout, Millis(3000));
  endpoint_.timeout = Millis(60000);
  Start();
  EXPECT_EQ(request().timeout, settings_.delivery.timeout);
}

// ---- Names and addresses

TEST_F(AttemptTest, TheLookUpCountsAgainstTheTimeout) {
  endpoint_.url = "http://slow.example/";
  Start();
  EXPECT_THAT(http_.requests(), IsEmpty());
  loop_.Advance(Millis(4000));
  resolver_.Set("slow.example", "93.184.216.35");
  loop_.RunReady();
  EXPECT_EQ(request().timeout, Millis(11000));
}

TEST_F(AttemptTest, ALookUpWithoutAnswerTimesOut) {
  endpoint_.url = "http://silent.example/";
  Start();
  loop_.Advance(Millis(14999));
  EXPECT_FALSE(result_);
  loop_.Advance(Millis(1));
  EXPECT_EQ(result_.value().outcome, AttemptOutcome::kTimedOut);
  EXPECT_EQ(result_->latency, Seconds(15));
  resolver_.Set("silent.example", "93.184.216.35");
  loop_.RunReady();
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(AttemptTest, ADeniedNameIsBlockedAndNothingIsSent) {
  for (bool cached : {true, false}) {
    if (!cached) resolver_.CacheNothing();
    LookupResult denied;
    denied.kind = LookupResult::Kind::kBlocked;
    resolver_.Set("customer.example", denied);
    Start();
    EXPECT_EQ(result_.value().outcome, AttemptOutcome::kBlocked);
  }
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(AttemptTest, TheTimeOfALookUpIsToldApartFromTheRest) {
  resolver_.CacheNothing();
  endpoint_.url = "https://slow-name.example/";
  Start();
  loop_.Advance(Millis(30));
  resolver_.Set("slow-name.example", "93.184.216.35");
  loop_.RunReady();
  ASSERT_THAT(http_.requests(), testing::SizeIs(1));
  loop_.Advance(Millis(50));
  HttpReply reply;
  reply.status = 200;
  reply.answer = std::string(2000, 'a');
  reply.connect = Millis(10);
  reply.tls = Millis(15);
  reply.first_byte = Millis(20);
  http_.Answer(0, reply);
  loop_.RunReady();
  const AttemptTimes expected{Millis(30), Millis(10), Millis(15), Millis(20), Millis(80)};
  EXPECT_EQ(result_.value().times, expected);
  EXPECT_TRUE(result_->answer_cut);
}

TEST_F(AttemptTest, AnUnknownNameIsUnreachable) {
  resolver_.Set("customer.example", LookupResult());
  Start();
  EXPECT_EQ(result_.value().outcome, AttemptOutcome::kUnreachable);
}

TEST_F(AttemptTest, DeniedAddressesPortsAndUrlsAreBlocked) {
  for (const char* url : {"http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/",
                          "http://customer.example:6379/", "http://0x7f.1/", "not a url"}) {
    endpoint_.url = url;
    Start();
    EXPECT_EQ(result_.value().outcome, AttemptOutcome::kBlocked) << url;
    EXPECT_NE(result_->why, "") << url;
  }
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(AttemptTest, EachAttemptTriesTheNextAddress) {
  LookupResult two;
  two.kind = LookupResult::Kind::kVetted;
  two.addresses = {*IpAddress::Parse("93.184.216.34"), *IpAddress::Parse("93.184.216.35")};
  resolver_.Set("customer.example", two);
  for (const char* expected : {"93.184.216.34", "93.184.216.35", "93.184.216.34"}) {
    Start();
    EXPECT_EQ(request().address.ToString(), expected);
    ++attempts_made_;
  }
}

// ---- What came of it

TEST_F(AttemptTest, StatusesHaveTheirOutcomes) {
  endpoint_.retry_final = {404, 429};
  for (int status : {200, 201, 204, 299}) {
    EXPECT_EQ(AnswerWith(status), AttemptOutcome::kAccepted) << status;
  }
  for (int status : {300, 301, 304, 307, 400, 401, 403, 408, 500, 502, 504, 999}) {
    EXPECT_EQ(AnswerWith(status), AttemptOutcome::kRejected) << status;
  }
  EXPECT_EQ(AnswerWith(404), AttemptOutcome::kFinalStatus);
  EXPECT_EQ(AnswerWith(429), AttemptOutcome::kFinalStatus);
  EXPECT_EQ(AnswerWith(503), AttemptOutcome::kOverloaded);
  EXPECT_EQ(AnswerWith(410), AttemptOutcome::kGone);
  EXPECT_EQ(result_->status, 410);
  endpoint_.retry_final = {};
  EXPECT_EQ(AnswerWith(429), AttemptOutcome::kOverloaded);
  endpoint_.retry_only = {500, 503};
  EXPECT_EQ(AnswerWith(204), AttemptOutcome::kAccepted);
  EXPECT_EQ(AnswerWith(500), AttemptOutcome::kRejected);
  EXPECT_EQ(AnswerWith(503), AttemptOutcome::kOverloaded);
  for (int status : {302, 404, 429, 502}) {
    EXPECT_EQ(AnswerWith(status), AttemptOutcome::kFinalStatus) << status;
  }
}

TEST_F(AttemptTest, ErrorsHaveTheirOutcomes) {
  const std::pair<HttpError, AttemptOutcome> cases[] = {
      {HttpError::kTimedOut, AttemptOutcome::kTimedOut},
      {HttpError::kUnreachable, AttemptOutcome::kUnreachable},
      {HttpError::kTlsFailed, AttemptOutcome::kTlsFailed},
      {HttpError::kTooLarge, AttemptOutcome::kTooLarge},
  };
  for (const auto& [error, outcome] : cases) {
    HttpReply reply;
    reply.error = error;
    EXPECT_EQ(AnswerWith(reply), outcome);
  }
}

TEST_F(AttemptTest, AStatusDecidesEvenIfTheBodyFails) {
  HttpReply reply;
  reply.status = 200;
  reply.error = HttpError::kTimedOut;
  EXPECT_EQ(AnswerWith(reply), AttemptOutcome::kAccepted);
  reply.status = 500;
  EXPECT_EQ(AnswerWith(reply), AttemptOutcome::kRejected);
}

TEST_F(AttemptTest, WhereAskedForOnlyCodeZeroIsAnAcknowledgement) {
  endpoint_.ack = AckRule::kCode0;
  EXPECT_EQ(AnswerWith(200, R"({"code":0})"), AttemptOutcome::kAccepted);
  EXPECT_EQ(AnswerWith(200, " {\"msg\":\"ok\", \"code\" : 0 }\n"), AttemptOutcome::kAccepted);
  for (const char* answer : {"", "ok", R"({"code":1})", R"({"code":"0"})", R"({"code":0.5})",
                             R"({"x":{"code":0}})", R"([{"code":0}])", R"({"code":0)"}) {
    EXPECT_EQ(AnswerWith(200, answer), AttemptOutcome::kAckMissing) << answer;
  }
  EXPECT_EQ(AnswerWith(500, R"({"code":0})"), AttemptOutcome::kRejected);
  HttpReply cut;
  cut.status = 200;
  cut.answer = R"({"code":0})";
  EXPECT_EQ(AnswerWith(cut), AttemptOutcome::kAckMissing);
  cut.error = HttpError::kTimedOut;
  EXPECT_EQ(AnswerWith(cut), AttemptOutcome::kTimedOut);
}

TEST_F(AttemptTest, RetryAfterCountsForAnOverloadedEndpointOnly) {
  HttpReply reply;
  reply.retry_after = "30";
  reply.status = 503;
  AnswerWith(reply);
  EXPECT_EQ(result_->retry_after, Seconds(30));
  reply.status = 500;
  AnswerWith(reply);
  EXPECT_EQ(result_->retry_after, Seconds(0));
}

TEST_F(AttemptTest, KeepsTheBeginningOfTheAnswerAndTheLatency) {
  endpoint_.ack = AckRule::kCode0;
  Start();
  EXPECT_EQ(request().answer_kept, size_t(settings_.delivery.answer_max));
  loop_.Advance(Millis(120));
  http_.Answer(0, 200, std::string(5000, 'x'));
  loop_.RunReady();
  EXPECT_EQ(result_.value().answer.size(), size_t(settings_.delivery.answer_kept));
  EXPECT_EQ(result_->latency, Millis(120));
}

TEST_F(AttemptTest, ADestroyedAttemptAbortsItsRequestAndIsSilent) {
  Start();
  attempt_.reset();
  EXPECT_EQ(request().state, "aborted");
  endpoint_.url = "http://silent.example/";
  Start();
  attempt_.reset();
  endpoint_.url = "http://127.0.0.1/";
  loop_.RunReady();
  EXPECT_FALSE(result_);
}

}  // namespace
}  // namespace relay

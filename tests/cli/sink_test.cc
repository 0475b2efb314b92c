#include "cli/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/simulate_connection.h"
#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

constexpr char kSinkSecret[] = "whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=";
constexpr char kBody[] = R"({"event_type":1,"stream_param":"relay_seq=r.7"})";

// Sends one request and stops the loop at its answer.
class OneRequest final : private ProviderConnection::Observer {
 public:
  OneRequest(SystemLoop& loop, int port, const std::string& path, const std::string& headers,
             std::string body)
      : loop_(loop),
        body_(std::move(body)),
        connection_(loop, SocketAddress{"", "127.0.0.1", port},
                    "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "Content-Length: ", 0,
                    *this) {
    connection_.Open();
  }
  int status() const { return status_; }

 private:
  void OnReady(ProviderConnection&) override {
    if (status_ == 0) connection_.Send("", body_);
  }
  void OnAnswer(ProviderConnection&, int status) override {
    status_ = status;
    loop_.Stop();
  }
  void OnDown(ProviderConnection&, const Status& why, bool) override {
    ADD_FAILURE() << why.text();
    loop_.Stop();
  }

  SystemLoop& loop_;
  const std::string body_;
  int status_ = 0;
  ProviderConnection connection_;
};

class SinkTest : public testing::Test {
 protected:
  void Open(SinkPlan plan) {
    log_ = std::move(*LineLog::Open(folder_.File("received")));
    Result<std::unique_ptr<Sink>> sink = Sink::Create(loop_, std::move(plan), log_);
    ASSERT_TRUE(sink.ok()) << sink.status().text();
    sink_ = std::move(*sink);
    ASSERT_TRUE(sink_->Listen(SocketAddress{"", "127.0.0.1", 0}).ok());
  }

  // The status of the answer.
  int Post(const std::string& headers = "", const std::string& body = kBody,
           const std::string& path = "/hook") {
    OneRequest request(loop_, sink_->port(), path, headers, body);
    loop_.Run();
    return request.status();
  }

  std::string SignedHeaders(const std::string& body) {
    const WebhookSigner signer = std::move(*WebhookSigner::Create({kSinkSecret}));
    const int64_t now_s = SecondsSinceEpoch(loop_.clock().WallNow());
    std::string signature;
    signer.AppendSignature("id1", now_s, body, signature);
    return "webhook-id: id1\r\nwebhook-timestamp: " + std::to_string(now_s) +
           "\r\nwebhook-signature: " + signature + "\r\n";
  }

  std::string Log() const { return folder_.Content("received"); }

  TemporaryFolder folder_;
  SystemLoop loop_;
  LineLog log_;
  std::unique_ptr<Sink> sink_;
};

TEST_F(SinkTest, RequestStandsInTheLogOnceItIsAnswered) {
  Open({});
  EXPECT_EQ(Post("webhook-id: id1\r\nrelay-endpoint: acme/customer-a\r\nrelay-attempt: 3\r\n"),
            200);
  EXPECT_THAT(Log(),
              testing::StartsWith(R"({"webhook_id":"id1","endpoint":"acme/customer-a","attempt":3,)"
                                  R"("seq":"r.7","sha256":")"));
  EXPECT_THAT(Log(), testing::HasSubstr(R"("signature":"none","status":200,"at_us":)"));
}

TEST_F(SinkTest, WithoutAnEndpointHeaderThePathIsTheEndpoint) {
  Open({});
  Post();
  EXPECT_THAT(Log(), testing::HasSubstr(R"("endpoint":"/hook")"));
}

TEST_F(SinkTest, StandardWebhooksSignatureIsVerified) {
  SinkPlan plan;
  plan.secrets = {kSinkSecret};
  Open(plan);
  Post(SignedHeaders(kBody));
  Post(SignedHeaders("another body"));
  Post();
  EXPECT_THAT(Log(), testing::ContainsRegex("\"ok\".*\n.*\"bad\".*\n.*\"none\""));
  EXPECT_EQ(sink_->tally().bad_signatures, 1);
}

TEST_F(SinkTest, TencentSignatureIsVerifiedAndMustNotHaveExpired) {
  SinkPlan plan;
  plan.tencent_keys = {"customer-b-key"};
  Open(plan);
  const int64_t now_s = SecondsSinceEpoch(loop_.clock().WallNow());
  const auto body = [](const std::string& key, int64_t t) {
    const std::string digits = std::to_string(t);
    return R"({"t":)" + digits + R"(,"sign":")" + TencentSignature().Sign(key, digits) + "\"}";
  };
  Post("", body("customer-b-key", now_s + 600));
  Post("", body("provider-key", now_s + 600));
  Post("", body("customer-b-key", now_s - 10));
  Post("", "{}");
  EXPECT_THAT(Log(), testing::ContainsRegex("\"ok\".*\n.*\"bad\".*\n.*\"bad\".*\n.*\"none\""));
}

// So that what was sent can be found again, whatever the endpoint's format.
TEST_F(SinkTest, ACallbackIsReadOutOfWhatItIsWrappedIn) {
  Open({});
  const std::string sent = R"({"event_type":1,"t":1,"sign":"x","stream_param":"relay_seq=r.7"})";
  const auto digest_of = [this](const std::string& body, const std::string& id = "id1") {
    Post("webhook-id: " + id + "\r\n", body);
    const std::string log = Log();
    const size_t line = log.rfind("{\"webhook_id\"");
    EXPECT_THAT(log.substr(line), testing::HasSubstr("\"seq\":"));
    const bool has_seq = log.find("\"seq\":\"r.7\"", line) != std::string::npos;
    return (has_seq ? "r.7 " : "") + log.substr(log.find("sha256", line) + 9, 64);
  };
  const std::string digest = digest_of(sent);
  EXPECT_THAT(digest, testing::StartsWith("r.7 "));
  EXPECT_EQ(digest_of(R"({"id":"id1","source":"live","data":)" + sent + "}"), digest);
  EXPECT_EQ(digest_of(R"({"specversion":"1.0","id":"id1","data":)" + sent + "}"), digest);
  EXPECT_EQ(digest_of(R"({"id":"id1","data_text":"a=\u4e2d"})"), digest_of("a=\u4e2d"));
  EXPECT_EQ(digest_of(R"({"specversion":"1.0","id":"id1","data_base64":"/wA="})"),
            digest_of(std::string("\xff\0", 2)));
  // A callback of its own shape is no wrapping.
  EXPECT_NE(digest_of(R"({"id":"id2","data":)" + sent + "}"), digest);
  EXPECT_NE(digest_of(R"({"id":"","data":)" + sent + "}", ""), digest);
}

TEST_F(SinkTest, FirstRequestsOfEachDeliveryFailAndThenItRecovers) {
  SinkPlan plan;
  plan.fail_first = 2;
  Open(plan);
  EXPECT_EQ(Post("webhook-id: a\r\n"), 500);
  EXPECT_EQ(Post("webhook-id: a\r\n"), 500);
  EXPECT_EQ(Post("webhook-id: a\r\n"), 200);
  EXPECT_EQ(Post("webhook-id: b\r\n"), 500);
  EXPECT_EQ(Post("webhook-id: a\r\n", kBody, "/other"), 500);
  EXPECT_EQ(sink_->tally().received, 5);
  EXPECT_EQ(sink_->tally().accepted, 1);
  EXPECT_EQ(sink_->tally().distinct_ids, 2);
}

TEST_F(SinkTest, OnlyItsPathsAreKnown) {
  SinkPlan plan;
  plan.paths = 3;
  Open(plan);
  EXPECT_EQ(Post("", kBody, "/hook/3"), 200);
  EXPECT_EQ(Post("", kBody, "/hook/4"), 404);
  EXPECT_EQ(Post("", kBody, "/hook"), 404);
}

TEST_F(SinkTest, AnswersAsItIsTold) {
  SinkPlan plan;
  plan.status = 410;
  Open(plan);
  EXPECT_EQ(Post(), 410);
}

TEST_F(SinkTest, AnswerWaitsForTheDelay) {
  SinkPlan plan;
  plan.delay = Millis(30);
  Open(plan);
  const MonoTime before = loop_.clock().Now();
  EXPECT_EQ(Post(), 200);
  EXPECT_GE(loop_.clock().Now() - before, Millis(30));
}

TEST_F(SinkTest, HangingRequestIsWrittenDownAndNeverAnswered) {
  SinkPlan plan;
  plan.hang = 1;
  Open(plan);
  const auto patience = loop_.NewTimer([this] { loop_.Stop(); });
  patience->Arm(Millis(50));
  EXPECT_EQ(Post(), 0);
  EXPECT_THAT(Log(), testing::HasSubstr(R"("status":0)"));
  EXPECT_EQ(sink_->tally().hung, 1);
}

// What it cannot write down it must not have accepted.
TEST_F(SinkTest, NothingIsAnsweredThatCannotBeWrittenDown) {
  Open({});
  log_ = std::move(*LineLog::Open("/dev/full"));
  EXPECT_EQ(Post(), 0);
  EXPECT_FALSE(sink_->failure().ok());
}

TEST_F(SinkTest, AddressInUseIsNamed) {
  Open({});
  const Status status = sink_->Listen(SocketAddress{"", "127.0.0.1", sink_->port()});
  EXPECT_THAT(status.text(), testing::HasSubstr(std::to_string(sink_->port())));
}

TEST_F(SinkTest, BadSecretIsRefused) {
  SinkPlan plan;
  plan.secrets = {"whsec_short"};
  EXPECT_FALSE(Sink::Create(loop_, plan, log_).ok());
}

}  // namespace
}  // namespace relay

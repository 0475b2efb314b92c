#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <optional>

#include "tests/support/run_until.h"
#include "tests/support/test_certificate.h"
#include "tests/support/webhook_sink.h"
#include "workers/http_client.h"

namespace relay {
namespace {

class HttpClientTlsTest : public ::testing::Test {
 protected:
  ~HttpClientTlsTest() override { std::filesystem::remove(pem_); }

  // Posts once over TLS to a server with `certificate`, trusting it when `trusted`.
  HttpReply Send(const TestCertificate& certificate, bool trusted = true,
                 const std::string& host = "127.0.0.1") {
    const TlsContextPtr server = certificate.MakeServer(pem_);
    WebhookSink sink(
        loop_, [](WebhookSink::Connection& c, const std::string&) { c.Answer(200); }, server.get());
    CurlHttpClient::Limits limits;
    if (trusted) limits.tls_ca = pem_;
    CurlHttpClient client(loop_, limits);
    return Post(client, "https://" + host + ":" + std::to_string(sink.port()) + "/");
  }

  HttpReply Post(HttpClient& client, const std::string& url) {
    HttpPost post;
    post.route = std::make_shared<const HttpRoute>(HttpRoute{*ParseUrl(url), ""});
    post.address = IpAddress::V4(0x7f000001);
    post.body = "{}";
    post.timeout = Millis(10000);
    std::optional<HttpReply> got;
    const auto call = client.Post(std::move(post), [&](HttpReply reply) { got = reply; });
    EXPECT_TRUE(RunUntil(loop_, [&] { return got.has_value(); }));
    return got.value_or(HttpReply());
  }

  SystemLoop loop_;
  const std::string pem_ = ::testing::TempDir() + "relay-tls-" +
                           std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "-" +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".pem";
};

TEST_F(HttpClientTlsTest, ATrustedCertificateForTheAddressHolds) {
  const HttpReply reply = Send({});
  EXPECT_EQ(reply.status, 200);
  EXPECT_GT(reply.connect.count(), 0);
  EXPECT_GT(reply.tls.count(), 0);
  EXPECT_GE(reply.total, reply.connect + reply.tls + reply.first_byte);
}

// To read the system's authorities takes a good 20 ms: a receiver that ends each connection would
// take them from all the others.
TEST_F(HttpClientTlsTest, AuthoritiesAreNotReadAgainForEachConnection) {
  const TlsContextPtr server = TestCertificate().MakeServer(pem_);
  WebhookSink sink(
      loop_,
      [](WebhookSink::Connection& c, const std::string&) {
        c.Answer(200, "", "Connection: close\r\n");
        c.Close();
      },
      server.get());
  CurlHttpClient::Limits limits;
  limits.tls_ca = pem_;
  CurlHttpClient client(loop_, limits);
  const std::string url = "https://127.0.0.1:" + std::to_string(sink.port()) + "/";
  EXPECT_EQ(Post(client, url).status, 200);
  std::filesystem::remove(pem_);
  EXPECT_EQ(Post(client, url).status, 200);
  EXPECT_EQ(sink.accepted(), 2);
}

// The connection goes to the vetted address, but the certificate must be the name's.
TEST_F(HttpClientTlsTest, TheNameInTheUrlIsWhatTheCertificateMustBear) {
  EXPECT_EQ(Send({.subject_alt_name = "DNS:customer.invalid"}, true, "customer.invalid").status,
            200);
  EXPECT_EQ(Send({.subject_alt_name = "DNS:other.invalid"}, true, "customer.invalid").error,
            HttpError::kTlsFailed);
  EXPECT_EQ(Send({.subject_alt_name = "IP:127.0.0.1"}, true, "customer.invalid").error,
            HttpError::kTlsFailed);
}

TEST_F(HttpClientTlsTest, ASelfSignedCertificateIsRefused) {
  EXPECT_EQ(Send({}, false).error, HttpError::kTlsFailed);
}

TEST_F(HttpClientTlsTest, AnExpiredCertificateIsRefused) {
  EXPECT_EQ(Send({.valid_from_s = -7200, .valid_until_s = -3600}).error, HttpError::kTlsFailed);
}

TEST_F(HttpClientTlsTest, ACertificateOfTheFutureIsRefused) {
  EXPECT_EQ(Send({.valid_from_s = 3600, .valid_until_s = 7200}).error, HttpError::kTlsFailed);
}

TEST_F(HttpClientTlsTest, VersionsBeforeTls12AreRefused) {
  EXPECT_EQ(Send({.tls_version_max = TLS1_1_VERSION}).error, HttpError::kTlsFailed);
}

TEST_F(HttpClientTlsTest, AServerThatSpeaksNoTlsIsRefused) {
  WebhookSink plain(loop_, [](WebhookSink::Connection&, const std::string&) {});
  CurlHttpClient client(loop_, {});
  HttpPost post;
  post.route = std::make_shared<const HttpRoute>(
      HttpRoute{*ParseUrl("https://127.0.0.1:" + std::to_string(plain.port())), ""});
  post.address = IpAddress::V4(0x7f000001);
  post.timeout = Millis(200);
  std::optional<HttpReply> got;
  const auto call = client.Post(std::move(post), [&](HttpReply reply) { got = reply; });
  ASSERT_TRUE(RunUntil(loop_, [&] { return got.has_value(); }));
  EXPECT_EQ(got->error, HttpError::kTimedOut);
}

}  // namespace
}  // namespace relay

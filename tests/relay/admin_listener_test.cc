#include "relay/admin_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/raw_client.h"
#include "tests/support/run_until.h"

namespace relay {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class AdminListenerTest : public testing::Test {
 protected:
  AdminListenerTest() : admin_(loop_, metrics_, [this] { return reasons_; }) {
    const Status listening = admin_.Listen({.host = "127.0.0.1"});
    EXPECT_TRUE(listening.ok()) << listening.ToString();
  }

  std::string Ask(const std::string& request_line) {
    RawClient client = RawClient::Connect(admin_.port());
    client.Send(request_line + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(RunUntil(loop_, [&] { return client.Look().closed(); }));
    return client.Take();
  }

  SystemLoop loop_;
  Metrics metrics_;
  std::vector<std::string> reasons_;
  AdminListener admin_;
};

TEST_F(AdminListenerTest, HealthIsThatTheLoopRuns) {
  reasons_ = {"redis is away"};
  const std::string answer = Ask("GET /healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nok"));
}

TEST_F(AdminListenerTest, ReadinessNamesWhatIsMissing) {
  EXPECT_THAT(Ask("GET /readyz"), EndsWith("{\"ready\":true,\"reasons\":[]}"));
  reasons_ = {"maxmemory-policy is \"allkeys-lru\"", "no catalog"};
  const std::string answer = Ask("GET /readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, EndsWith("{\"ready\":false,\"reasons\":"
                               "[\"maxmemory-policy is \\\"allkeys-lru\\\"\",\"no catalog\"]}"));
}

TEST_F(AdminListenerTest, ShowsTheSeries) {
  metrics_.GetCounter("relay_test_total", "A count.").Increment();
  EXPECT_THAT(Ask("GET /metrics"), HasSubstr("\nrelay_test_total 1"));
}

TEST_F(AdminListenerTest, KnowsNothingElse) {
  EXPECT_THAT(Ask("GET /"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("POST /healthz"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(AdminListenerTest, ItsPortIsItsOwn) {
  AdminListener second(loop_, metrics_, [] { return std::vector<std::string>(); });
  const Status taken = second.Listen({.host = "127.0.0.1", .port = admin_.port()});
  EXPECT_EQ(taken.code(), StatusCode::kConflict);
}

}  // namespace
}  // namespace relay

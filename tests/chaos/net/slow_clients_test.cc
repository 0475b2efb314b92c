#include "tests/chaos/net/slow_clients.h"

#include <gtest/gtest.h>

#include "relay/http_server.h"
#include "tests/support/run_until.h"

namespace relay {
namespace {

class SlowClientsTest : public testing::Test {
 protected:
  // What becomes of two of each kind within `time`.
  std::vector<SlowLives> Play(const HttpLimits& limits, Millis time) {
    HttpServer server(
        loop_, limits, [](HttpExchange exchange) { exchange.Answer({.status = 404}); },
        [](std::string_view, int) {});
    EXPECT_TRUE(server.ListenExclusively(SocketAddress{"", "127.0.0.1", 0}).ok());
    SlowClients clients({.port = server.port(), .of_each_kind = 2, .drip = Millis(20)});
    RunUntil(
        loop_, [] { return false; }, time);
    return clients.Stop();
  }

  SystemLoop loop_;
};

TEST_F(SlowClientsTest, ServerWithDeadlinesEndsEachKind) {
  HttpLimits limits;
  limits.head_deadline = limits.body_grace = limits.idle = Millis(100);
  // The last of them come after two seconds.
  for (const SlowLives& lives : Play(limits, Millis(3000))) {
    EXPECT_GT(lives.ended, 0) << lives.kind;
    EXPECT_LT(lives.longest, Millis(2500)) << lives.kind;
  }
}

TEST_F(SlowClientsTest, WhoIsNeverEndedCountsAsAliveUntilNow) {
  for (const SlowLives& lives : Play({}, Millis(3000))) {
    EXPECT_EQ(lives.ended, 0) << lives.kind;
    // Who pipelines may just have sent a request.
    if (lives.deadline == SlowDeadline::kIdle) continue;
    EXPECT_GT(lives.longest, Millis(500)) << lives.kind;
  }
}

}  // namespace
}  // namespace relay

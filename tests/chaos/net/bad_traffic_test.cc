#include "tests/chaos/net/bad_traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "relay/http_server.h"
#include "tests/support/run_until.h"

namespace relay {
namespace {

TEST(BadRequestMakerTest, TheSameSeedMakesTheSameRequests) {
  const WallTime now = SystemClock().WallNow();
  BadRequestMaker one(7);
  BadRequestMaker other(7);
  std::set<std::string_view> kinds;
  for (int i = 0; i < 2000; ++i) {
    const BadRequest request = one.Make(now);
    EXPECT_EQ(request.bytes, other.Make(now).bytes);
    EXPECT_FALSE(request.bytes.empty()) << request.kind;
    kinds.insert(request.kind);
  }
  EXPECT_GE(kinds.size(), 30u);
}

class BadTrafficTest : public testing::Test {
 protected:
  // Sends 500 to a server that answers all that its parser lets through with `status`.
  BadTrafficResult Play(int status) {
    SystemLoop loop;
    HttpServer server(
        loop, {}, [status](HttpExchange exchange) { exchange.Answer({.status = status}); },
        [](std::string_view, int) {});
    EXPECT_TRUE(server.ListenExclusively(SocketAddress{"", "127.0.0.1", 0}).ok());
    BadTraffic traffic({.port = server.port(), .seed = 3, .count = 500});
    EXPECT_TRUE(RunUntil(loop, [&] { return traffic.done(); }));
    return traffic.Await();
  }
};

TEST_F(BadTrafficTest, ServerThatTakesThemIsFoundOut) {
  const BadTrafficResult result = Play(200);
  EXPECT_GT(result.accepted, 100);
  EXPECT_GT(result.refused, 100);
  EXPECT_EQ(result.unanswered, 0);
  EXPECT_EQ(result.sent, 500);
  EXPECT_THAT(result.examples, testing::Contains(testing::HasSubstr("taken")));
}

TEST_F(BadTrafficTest, TheWrongRefusalIsFoundOut) {
  const BadTrafficResult result = Play(418);
  EXPECT_EQ(result.accepted, 0);
  EXPECT_GT(result.surprises, 100);
  EXPECT_THAT(result.examples, testing::Contains(testing::HasSubstr("418 instead of 403")));
}

}  // namespace
}  // namespace relay

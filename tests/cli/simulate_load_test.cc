#include "cli/simulate_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "cli/tencent_callback.h"
#include "relay/http_server.h"
#include "relay/tencent_signature.h"
#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

// A simulated provider against a real server in the same loop, which answers as the test says.
class SimulateLoadTest : public testing::Test {
 protected:
  SimulateLoadTest()
      : server_(
            loop_, HttpLimits(), [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
            [](std::string_view, int) {}),
        progress_(loop_.clock(), "callbacks", 0, /*fd=*/-1, /*shown=*/false) {
    EXPECT_TRUE(server_.Listen(SocketAddress{"", "127.0.0.1", 0}).ok());
    plan_.to = SocketAddress{"", "127.0.0.1", server_.port()};
    plan_.host = "localhost";
    plan_.target = "/in/demo";
    traffic_.key = "demo-key";
    traffic_.run = "r";
    plan_.count = 100;
    plan_.connections = 4;
    plan_.seed = 1;
    plan_.time_scale = 12'000;  // A minute takes 5 ms.
    answer_ = [](HttpExchange exchange) { AnswerWith(200, std::move(exchange)); };
  }

  static void AnswerWith(int status, HttpExchange exchange) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = R"({"code":0})";
    exchange.Answer(answer);
  }

  void OnRequest(HttpExchange exchange) {
    ++requests_;
    seqs_.insert(reader_.Read(exchange.request().body).seq);
    answer_(std::move(exchange));
  }

  LoadResult Simulate() {
    TencentCallbackMaker maker(traffic_);
    LoadRun load(loop_, plan_, maker, log_, progress_);
    load.Start();
    loop_.Run();
    return load.result();
  }

  void KeepLog() { log_ = std::move(*LineLog::Open(folder_.File("sent"))); }

  TemporaryFolder folder_;
  SystemLoop loop_;
  CallbackReader reader_;
  std::function<void(HttpExchange)> answer_;
  HttpServer server_;
  Progress progress_;
  LineLog log_;
  TencentTraffic traffic_;
  LoadPlan plan_;
  int requests_ = 0;
  std::multiset<std::string> seqs_;
};

TEST_F(SimulateLoadTest, EveryCallbackIsSentOnceAndCountedByItsAnswer) {
  const LoadResult result = Simulate();
  EXPECT_EQ(result.callbacks, 100);
  EXPECT_EQ(result.accepted, 100);
  EXPECT_EQ(result.unexpected, 0);
  EXPECT_EQ(result.ack_latency.count(), 100u);
  EXPECT_EQ(seqs_.size(), 100u);
  EXPECT_EQ(seqs_.count("r.0"), 1u);
  EXPECT_EQ(seqs_.count("r.99"), 1u);
}

// What the relay has seen must stand in the log even if this program dies at that moment.
TEST_F(SimulateLoadTest, RequestHasItsLineInTheLogBeforeTheServerSeesIt) {
  KeepLog();
  int in_time = 0;
  answer_ = [this, &in_time](HttpExchange exchange) {
    const std::string seq = reader_.Read(exchange.request().body).seq;
    const std::string line = "{\"op\":\"send\",\"seq\":\"" + seq + "\"";
    if (folder_.Content("sent").find(line) != std::string::npos) ++in_time;
    AnswerWith(200, std::move(exchange));
  };
  Simulate();
  EXPECT_EQ(in_time, 100);
  const std::string log = folder_.Content("sent");
  EXPECT_THAT(log, testing::HasSubstr("{\"op\":\"answer\",\"seq\":\"r.99\",\"status\":200,"));
}

TEST_F(SimulateLoadTest, CutConnectionIsIndeterminateAndTheRunGoesOn) {
  KeepLog();
  answer_ = [this](HttpExchange exchange) {
    if (requests_ % 20 == 0) return;  // The exchange dies unanswered, and its connection with it.
    AnswerWith(200, std::move(exchange));
  };
  const LoadResult result = Simulate();
  EXPECT_EQ(result.indeterminate, 5);
  EXPECT_EQ(result.accepted, 95);
  EXPECT_EQ(result.unexpected, 5);
  EXPECT_THAT(folder_.Content("sent"), testing::HasSubstr("\"status\":0,"));
}

TEST_F(SimulateLoadTest, WhatIsRefusedOrCutOffIsSentAgainUntilItIsAccepted) {
  plan_.retry = true;
  answer_ = [this](HttpExchange exchange) {
    if (requests_ % 3 == 0) return AnswerWith(503, std::move(exchange));
    if (requests_ % 10 == 0) return;
    AnswerWith(200, std::move(exchange));
  };
  const LoadResult result = Simulate();
  EXPECT_EQ(result.callbacks, 100);
  EXPECT_EQ(result.accepted, 100);
  EXPECT_EQ(result.unexpected, 0);
  EXPECT_GT(result.refused.at(503), 0);
  EXPECT_GT(result.indeterminate, 0);
  EXPECT_EQ(result.sent, requests_);
}

// The provider's: 13 sendings in all, but 6 of a screenshot.
TEST_F(SimulateLoadTest, ProviderGivesUpAfterItsOwnNumberOfAttempts) {
  plan_.retry = true;
  plan_.count = 2;
  traffic_.streams = 1;
  traffic_.types = {1, 200};
  answer_ = [](HttpExchange exchange) { AnswerWith(503, std::move(exchange)); };
  const LoadResult result = Simulate();
  EXPECT_EQ(seqs_.count("r.0"), 13u);
  EXPECT_EQ(seqs_.count("r.1"), 6u);
  EXPECT_EQ(result.unexpected, 2);
  EXPECT_EQ(result.refused.at(503), 19);
}

TEST_F(SimulateLoadTest, NumberOfAttemptsMayBeAnother) {
  plan_.retry = true;
  plan_.retry_attempts = 20;
  plan_.count = 2;
  traffic_.streams = 1;
  traffic_.types = {1, 200};
  answer_ = [](HttpExchange exchange) { AnswerWith(503, std::move(exchange)); };
  Simulate();
  EXPECT_EQ(seqs_.count("r.0"), 21u);
  EXPECT_EQ(seqs_.count("r.1"), 21u);
  plan_.retry_attempts = 0;
  seqs_.clear();
  EXPECT_EQ(Simulate().unexpected, 2);
  EXPECT_EQ(seqs_.size(), 2u);
}

// Two minutes apart, not one.
TEST_F(SimulateLoadTest, PausesAreTheProvidersAtTheScaleAskedFor) {
  plan_.retry = true;
  plan_.retry_attempts = 1;
  plan_.time_scale = 4'000;
  plan_.count = 1;
  traffic_.types = {200};
  std::vector<MonoTime> at;
  answer_ = [this, &at](HttpExchange exchange) {
    at.push_back(loop_.clock().Now());
    AnswerWith(503, std::move(exchange));
  };
  Simulate();
  ASSERT_EQ(at.size(), 2u);
  EXPECT_GE(at[1] - at[0], Millis(30));
}

TEST_F(SimulateLoadTest, ForgedAndExpiredCallbacksAreAsTheyShouldBeWhenTheyAreForbidden) {
  plan_.forge = 0.2;
  plan_.expired = 0.2;
  const int64_t now_s = SecondsSinceEpoch(loop_.clock().WallNow());
  answer_ = [this, now_s](HttpExchange exchange) {
    const CallbackReading& reading = reader_.Read(exchange.request().body);
    const std::vector<std::string> keys = {"demo-key"};
    const bool authentic = TencentSignature().Verify(keys, reading.t, reading.sign);
    const bool fresh = std::stoll(reading.t) > now_s;
    AnswerWith(authentic && fresh ? 200 : 403, std::move(exchange));
  };
  const LoadResult result = Simulate();
  EXPECT_EQ(result.unexpected, 0);
  EXPECT_GT(result.refused.at(403), 10);
  EXPECT_EQ(result.accepted + result.refused.at(403), 100);
}

TEST_F(SimulateLoadTest, ForgedCallbackThatIsAcceptedIsNotAsItShouldBe) {
  plan_.forge = 1;
  EXPECT_EQ(Simulate().unexpected, 100);
}

TEST_F(SimulateLoadTest, DuplicateIsTheSameCallbackOnceMore) {
  plan_.duplicate = 1;
  const LoadResult result = Simulate();
  EXPECT_EQ(result.callbacks, 100);
  EXPECT_EQ(result.sent, 200);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(seqs_.count("r." + std::to_string(n)), 2u) << n;
}

TEST_F(SimulateLoadTest, ReorderedCallbacksAllArriveOnlyNotInOrder) {
  plan_.reorder = 0.3;
  plan_.connections = 1;
  std::vector<std::string> order;
  answer_ = [this, &order](HttpExchange exchange) {
    order.push_back(reader_.Read(exchange.request().body).seq);
    AnswerWith(200, std::move(exchange));
  };
  EXPECT_EQ(Simulate().accepted, 100);
  EXPECT_EQ(std::set<std::string>(seqs_.begin(), seqs_.end()).size(), 100u);
  std::vector<std::string> in_order;
  for (int n = 0; n < 100; ++n) in_order.push_back("r." + std::to_string(n));
  EXPECT_NE(order, in_order);
}

// Otherwise a server that stalls would look fast: nothing is sent while it stalls.
TEST_F(SimulateLoadTest, OpenLoopCountsLatencyFromWhenACallbackWasDue) {
  plan_.open_loop = true;
  plan_.rate = 1000;
  plan_.count = 50;
  plan_.connections = 1;
  HttpExchange held;
  const auto release = loop_.NewTimer([&held] { AnswerWith(200, std::move(held)); });
  answer_ = [&](HttpExchange exchange) {
    if (requests_ > 1) return AnswerWith(200, std::move(exchange));
    held = std::move(exchange);
    release->Arm(Millis(100));
  };
  const LoadResult result = Simulate();
  EXPECT_EQ(result.accepted, 50);
  EXPECT_GE(result.ack_latency.Percentile(50), Millis(50));
}

TEST_F(SimulateLoadTest, ReceiverThatIsNotThereEndsTheRunWithAReason) {
  // A port that was ours and is closed again.
  auto gone = std::make_unique<HttpServer>(
      loop_, HttpLimits(), [](HttpExchange) {}, [](std::string_view, int) {});
  ASSERT_TRUE(gone->Listen(SocketAddress{"", "127.0.0.1", 0}).ok());
  plan_.to.port = gone->port();
  gone.reset();
  plan_.never_reached = Millis(1);
  const LoadResult result = Simulate();
  EXPECT_EQ(result.failure.code(), StatusCode::kUnavailable);
  EXPECT_THAT(result.failure.text(), testing::HasSubstr("cannot reach 127.0.0.1:"));
  EXPECT_EQ(result.sent, 0);
}

TEST_F(SimulateLoadTest, LogThatCannotBeWrittenEndsTheRun) {
  log_ = std::move(*LineLog::Open("/dev/full"));
  EXPECT_THAT(Simulate().failure.text(), testing::HasSubstr("cannot write /dev/full"));
}

TEST(AnswerHeadTest, StatusLengthAndCloseAreReadInAnySpelling) {
  const Result<AnswerHead> head = ParseAnswerHead(
      "HTTP/1.1 403 Forbidden\r\ncontent-LENGTH:  17 \r\nConnection: Close\r\n\r\n");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head.value().status, 403);
  EXPECT_EQ(head.value().content_length, 17u);
  EXPECT_TRUE(head.value().close);
}

TEST(AnswerHeadTest, WhatIsNotUnderstoodIsRefused) {
  EXPECT_FALSE(ParseAnswerHead("SSH-2.0-OpenSSH_9.2\r\n\r\n").ok());
  EXPECT_FALSE(ParseAnswerHead("HTTP/1.1 2x0 OK\r\n\r\n").ok());
  EXPECT_FALSE(ParseAnswerHead("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n").ok());
  EXPECT_FALSE(ParseAnswerHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").ok());
}

}  // namespace
}  // namespace relay

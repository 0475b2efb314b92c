#include "relay/http_server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/relay/http_server_fixture.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public HttpServerFixture {};

TEST_F(HttpServerTest, AnswersRequestAfterRequestOnOneConnection) {
  Start();
  RawClient client = NewClient();
  for (std::string path : {"/one", "/two", "/three"}) {
    client.Send(Get(path));
    ASSERT_TRUE(UntilReceived(client, AnswerTo(path)));
    EXPECT_EQ(client.Take(), AnswerTo(path));
  }
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpServerTest, PipelinedRequestsWaitForTheAnswerBeforeThem) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/one") + Get("/two") + Get("/three"));
  for (std::string path : {"/one", "/two", "/three"}) {
    ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
    EXPECT_EQ(held_[0].request().path, path);
    EXPECT_EQ(server_->in_flight(), 1);
    AnswerWithPath(held_[0]);
    held_.clear();
  }
  ASSERT_TRUE(UntilReceived(client, AnswerTo("/three")));
  EXPECT_EQ(client.received(), AnswerTo("/one") + AnswerTo("/two") + AnswerTo("/three"));
  EXPECT_EQ(server_->in_flight(), 0);
}

// The views of a request point into the connection's input, into which the next one is read.
TEST_F(HttpServerTest, ARequestStaysReadableWhileMoreComesIn) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send("POST /one HTTP/1.1\r\nHost: a\r\nX-Mark: m\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  RawClient second = NewClient();
  for (int i = 0; i < 40; ++i) client.Send(Get("/" + std::string(1000, 'x')));
  second.Send(Get("/second"));
  ASSERT_TRUE(Until([&] { return held_.size() == 2; }));
  const HttpRequest& request = held_[0].request();
  EXPECT_EQ(request.path, "/one");
  EXPECT_EQ(request.Header("x-MARK"), "m");
  EXPECT_EQ(request.Header("absent"), "");
  EXPECT_EQ(request.body, "body");
  EXPECT_EQ(held_[0].peer(), "127.0.0.1");
}

TEST_F(HttpServerTest, TakesARequestByteByByte) {
  Start();
  RawClient client = NewClient();
  const std::string bytes =
      "POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (char c : bytes) {
    client.Send({&c, 1});
    Until([turns = 0]() mutable { return ++turns == 2; });
  }
  ASSERT_TRUE(UntilReceived(client, AnswerTo("/slow")));
  EXPECT_EQ(last_body_, "abc");
}

TEST_F(HttpServerTest, TakesBodiesUpToTheLimit) {
  Start();
  const std::string body(1024 * 1024, 'b');
  for (const std::string& request :
       {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + body,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body +
            "\r\n0\r\n\r\n"}) {
    RawClient client = NewClient();
    size_t sent = 0;
    ASSERT_TRUE(Until([&] {
      sent += client.Send(std::string_view(request).substr(sent));
      return client.Look().Count("200 OK") == 1;
    }));
    EXPECT_EQ(last_body_, body);
    client.Send(Get("/after"));
    EXPECT_TRUE(UntilReceived(client, AnswerTo("/after")));
  }
}

TEST_F(HttpServerTest, AHeadIsAnsweredWithoutTheBody) {
  Start();
  const std::string answer =
      SendAndReadToEnd("HEAD /path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
            "Connection: close\r\n\r\n");
}

TEST_F(HttpServerTest, OldClientsAreClosedUnlessTheyAskToStay) {
  Start();
  EXPECT_THAT(SendAndReadToEnd("GET /x HTTP/1.0\r\n\r\n"), HasSubstr("\r\nConnection: close\r\n"));
  RawClient client = NewClient();
  client.Send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(UntilReceived(client, "\r\nConnection: keep-alive\r\n"));
  client.Send("GET /y HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(Until([&] { return client.Look().closed(); }));
}

TEST_F(HttpServerTest, TheHandlerMayAddHeadersAndClose) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  held_[0].Answer(
      {.status = 503, .body = "{}", .extra_headers = "Retry-After: 2\r\n", .close = true});
  EXPECT_FALSE(held_[0].open());
  ASSERT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_EQ(client.received(),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nConnection: close\r\nRetry-After: 2\r\n\r\n{}");
}

TEST_F(HttpServerTest, A204HasNeitherBodyNorLength) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  held_[0].Answer({.status = 204, .body = "x"});
  ASSERT_TRUE(UntilReceived(client, "\r\n\r\n"));
  EXPECT_EQ(client.received(), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(HttpServerTest, ARefusalIsAClearAnswerAndACount) {
  Start();
  EXPECT_EQ(SendAndReadToEnd("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\n"
            "Content-Length: 29\r\nConnection: close\r\nAllow: GET, HEAD, POST\r\n\r\n"
            "{\"code\":405,\"error\":\"method\"}");
  EXPECT_THAT(SendAndReadToEnd("GET / HTTP/1.1\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(refusals_, ElementsAre("405 method", "400 line_end"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpServerTest, WhatFollowsARefusedRequestIsNotRun) {
  Start();
  const std::string answers = SendAndReadToEnd(
      Get("/good") + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" +
      Get("/evil"));
  EXPECT_THAT(answers, StartsWith(AnswerTo("/good") + "HTTP/1.1 501 "));
  EXPECT_THAT(answers, Not(HasSubstr("/evil")));
  EXPECT_EQ(requests_, 1);
}

// A reset would take the answer out of the client's hands.
TEST_F(HttpServerTest, AClientThatStillSendsCanReadItsRefusal) {
  Start();
  RawClient client = NewClient();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
  int sent = 0;
  ASSERT_TRUE(Until([&] {
    if (++sent <= 20) client.Send(std::string(1000, 'x'));
    return client.Look().closed();
  }));
  EXPECT_FALSE(client.reset());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, AsksForTheBodyOfAClientThatWaits) {
  Start();
  RawClient client = NewClient();
  client.Send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(UntilReceived(client, "HTTP/1.1 100 Continue\r\n\r\n"));
  client.Send("ab");
  client.Send("c");
  ASSERT_TRUE(UntilReceived(client, AnswerTo("/x")));
  EXPECT_EQ(client.received(), "HTTP/1.1 100 Continue\r\n\r\n" + AnswerTo("/x"));
  EXPECT_EQ(last_body_, "abc");
}

TEST_F(HttpServerTest, AClientThatEndedItsSendingGetsItsAnswers) {
  Start();
  RawClient client = NewClient();
  client.Send(Get("/one") + Get("/two"));
  client.EndSending();
  ASSERT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_EQ(client.received(), AnswerTo("/one") + AnswerTo("/two"));
  EXPECT_TRUE(Until([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServerTest, ATruncatedBodyIsRefused) {
  Start();
  RawClient client = NewClient();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  client.EndSending();
  ASSERT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_THAT(client.received(), HasSubstr("{\"code\":400,\"error\":\"truncated\"}"));
  EXPECT_THAT(refusals_, ElementsAre("400 truncated"));
  EXPECT_TRUE(Until([&] { return server_->connections() == 0; }));
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpServerTest, AnsweringAClientThatHasGoneDoesNothing) {
  Start();
  hold_ = true;
  RawClient leaver = NewClient();
  RawClient aborter = NewClient();
  leaver.Send(Get("/leaver"));
  aborter.Send(Get("/aborter"));
  ASSERT_TRUE(Until([&] { return held_.size() == 2; }));
  leaver.Close();
  aborter.Abort();
  ASSERT_TRUE(Until([&] { return !held_[0].open() || !held_[1].open(); }));
  for (HttpExchange& exchange : held_) exchange.Answer({.body = "late"});
  EXPECT_TRUE(Until([&] { return server_->connections() == 0; }));
  EXPECT_EQ(server_->in_flight(), 0);
}

TEST_F(HttpServerTest, AnExchangeDroppedWithoutAnAnswerClosesItsConnection) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  held_.clear();
  EXPECT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_THAT(client.received(), IsEmpty());
  EXPECT_EQ(server_->in_flight(), 0);
}

TEST_F(HttpServerTest, AnExchangeOutlivesItsServer) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  server_.reset();
  EXPECT_FALSE(held_[0].open());
  held_[0].Answer({});
}

TEST_F(HttpServerTest, StoppingFinishesWhatIsInFlightAndClosesTheRest) {
  Start();
  hold_ = true;
  RawClient idle = NewClient();
  RawClient busy = NewClient();
  busy.Send(Get("/busy"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1 && server_->connections() == 2; }));
  server_->StopAccepting();
  ASSERT_TRUE(Until([&] { return idle.Look().closed(); }));
  EXPECT_TRUE(NewClient().closed());
  AnswerWithPath(held_[0]);
  ASSERT_TRUE(Until([&] { return busy.Look().closed(); }));
  EXPECT_THAT(busy.received(), HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(HttpServerTest, AnAnswerOfTheSameTurnIsSentBeforeStoppingCloses) {
  Start();
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/last"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  AnswerWithPath(held_[0]);
  server_->StopAccepting();
  client.EndSending();
  ASSERT_TRUE(Until([&] { return server_->connections() == 0; }));
  EXPECT_EQ(client.Look().received(), AnswerTo("/last"));
}

TEST_F(HttpServerTest, AnExclusivePortIsRefusedToASecondServer) {
  Start();
  const SocketAddress address{.host = "127.0.0.1", .port = server_->port()};
  HttpServer second(
      loop_, {}, [](HttpExchange) {}, [](std::string_view, int) {});
  EXPECT_TRUE(second.Listen(address).ok());
  const Status taken = second.ListenExclusively(address);
  EXPECT_EQ(taken.code(), StatusCode::kConflict);
  EXPECT_THAT(taken.text(), HasSubstr(address.ToString()));
}

TEST_F(HttpServerTest, LeavesClientsToOthersUntilItAccepts) {
  Start();
  const SocketAddress address{.host = "127.0.0.1", .port = server_->port()};
  int second_heard = 0;
  HttpServer second(
      loop_, {},
      [&](HttpExchange exchange) {
        ++second_heard;
        AnswerWithPath(exchange);
      },
      [](std::string_view, int) {});
  ASSERT_TRUE(second.Bind(address).ok());
  // The kernel spreads connections over all that listen: so many would not miss the second one.
  constexpr int kClients = 64;
  const auto ask_often = [&] {
    for (int i = 0; i < kClients; ++i) {
      RawClient client = NewClient();
      client.Send(Get("/who"));
      ASSERT_TRUE(UntilReceived(client, AnswerTo("/who")));
    }
  };
  ask_often();
  EXPECT_EQ(second_heard, 0);
  ASSERT_TRUE(second.StartAccepting().ok());
  ask_often();
  EXPECT_GT(second_heard, 0);
}

TEST_F(HttpServerTest, ServesAUnixSocketAndReplacesADeadOne) {
  char folder[] = "/tmp/http_server_test_XXXXXX";
  ASSERT_TRUE(mkdtemp(folder));
  const std::string path = std::string(folder) + "/http.sock";
  Start();
  ASSERT_TRUE(server_->Listen({.unix_path = path}).ok());
  EXPECT_EQ(server_->Listen({.unix_path = path}).code(), StatusCode::kConflict);
  hold_ = true;
  RawClient client = RawClient::ConnectUnix(path);
  client.Send(Get("/unix"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  EXPECT_EQ(held_[0].peer(), "unix");
  AnswerWithPath(held_[0]);
  EXPECT_TRUE(UntilReceived(client, AnswerTo("/unix")));

  // A process that was killed leaves its path behind.
  const std::string dead = std::string(folder) + "/dead.sock";
  std::filesystem::create_hard_link(path, dead);
  server_.reset();
  Start();
  EXPECT_TRUE(server_->Listen({.unix_path = dead}).ok());
  EXPECT_FALSE(RawClient::ConnectUnix(dead).closed());
  server_.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace relay

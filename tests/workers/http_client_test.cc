// The HTTP client against real sockets on loopback: what receivers do, good and bad.
#include "workers/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "tests/support/run_until.h"
#include "tests/support/webhook_sink.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Connection = WebhookSink::Connection;

const IpAddress kLoopback = IpAddress::V4(0x7f000001);

class HttpClientTest : public ::testing::Test {
 protected:
  static CurlHttpClient::Limits Limits() {
    CurlHttpClient::Limits limits;
    limits.connect_timeout = Millis(2000);
    return limits;
  }

  std::shared_ptr<const HttpRoute> RouteTo(const std::string& url) {
    return std::make_shared<const HttpRoute>(HttpRoute{*ParseUrl(url), "x-fixed: 1\n"});
  }
  HttpPost PostTo(const std::shared_ptr<const HttpRoute>& route) {
    HttpPost post;
    post.route = route;
    post.address = kLoopback;
    post.headers = "content-type: application/json\n";
    post.body = "{\"hello\":1}";
    post.timeout = Millis(5000);
    return post;
  }
  // Sends one and waits for what it came to.
  HttpReply Send(HttpPost post) {
    std::optional<HttpReply> got;
    const auto call = client_.Post(std::move(post), [&](HttpReply reply) { got = reply; });
    EXPECT_FALSE(got) << "the callback came from inside Post()";
    EXPECT_TRUE(RunUntil(loop_, [&] { return got.has_value(); }));
    return got.value_or(HttpReply());
  }
  HttpReply Send() { return Send(PostTo(route_)); }
  void Script(WebhookSink::OnRequest on_request) { sink_.SetOnRequest(std::move(on_request)); }
  static void AnswerOk(Connection& connection, const std::string&) { connection.Answer(200, "ok"); }

  SystemLoop loop_;
  WebhookSink sink_{loop_, &AnswerOk};
  CurlHttpClient client_{loop_, Limits()};
  std::shared_ptr<const HttpRoute> route_ = RouteTo(sink_.url());
};

TEST_F(HttpClientTest, SendsThePostAsItWasGivenAndNothingOfItsOwn) {
  const HttpReply reply = Send();
  EXPECT_EQ(reply.error, HttpError::kNone);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.answer, "ok");
  EXPECT_TRUE(reply.answer_whole);
  EXPECT_FALSE(reply.connection_reused);
  EXPECT_GT(reply.connect.count(), 0);
  EXPECT_EQ(reply.tls.count(), 0);
  EXPECT_GT(reply.first_byte.count(), 0);
  EXPECT_GE(reply.total, reply.connect + reply.first_byte);
  EXPECT_THAT(sink_.requests(),
              ElementsAre("POST /hook HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(sink_.port()) +
                          "\r\nAccept: */*\r\ncontent-type: application/json\r\nx-fixed: 1\r\n"
                          "Content-Length: 11\r\n\r\n{\"hello\":1}"));
}

TEST_F(HttpClientTest, KeepsTheConnectionForTheNextRequest) {
  Send();
  const HttpReply second = Send();
  EXPECT_EQ(second.status, 200);
  EXPECT_TRUE(second.connection_reused);
  EXPECT_EQ(second.connect.count(), 0);
  EXPECT_GT(second.first_byte.count(), 0);
  EXPECT_EQ(sink_.accepted(), 1);
}

TEST_F(HttpClientTest, ManyAtATimeEachGetTheirOwnAnswer) {
  Script([](Connection& connection, const std::string& request) {
    connection.Answer(200, request.substr(request.find("\r\n\r\n") + 4));
  });
  constexpr int kRequests = 200;
  std::vector<std::string> bodies;
  for (int i = 0; i < kRequests; ++i) bodies.push_back("body " + std::to_string(i));
  std::vector<std::string> answers(kRequests);
  std::vector<std::unique_ptr<HttpCall>> calls;
  int finished = 0;
  for (int i = 0; i < kRequests; ++i) {
    HttpPost post = PostTo(route_);
    post.body = bodies[i];
    calls.push_back(client_.Post(std::move(post), [&answers, &finished, i](HttpReply reply) {
      answers[i] = reply.answer;
      ++finished;
    }));
  }
  ASSERT_TRUE(RunUntil(loop_, [&] { return finished == kRequests; }));
  EXPECT_EQ(answers, bodies);
}

TEST_F(HttpClientTest, AnEmptyBodyIsStillAPost) {
  HttpPost post = PostTo(route_);
  post.body = {};
  EXPECT_EQ(Send(std::move(post)).status, 200);
  EXPECT_THAT(sink_.requests()[0], HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(HttpClientTest, ALargeBodyGoesOutWithoutWaitingForContinue) {
  // libcurl would ask for permission from 1 MiB on.
  const std::string large((1 << 20) + 1, 'x');
  HttpPost post = PostTo(route_);
  post.body = large;
  post.timeout = Millis(20000);
  ASSERT_EQ(Send(std::move(post)).status, 200);
  EXPECT_THAT(sink_.requests()[0].substr(0, 300), Not(HasSubstr("Expect")));
}

// ---- Receivers that misbehave

TEST_F(HttpClientTest, AStalledReceiverTimesOut) {
  Script([](Connection&, const std::string&) {});
  HttpPost post = PostTo(route_);
  post.timeout = Millis(150);
  const HttpReply reply = Send(std::move(post));
  EXPECT_EQ(reply.error, HttpError::kTimedOut);
  EXPECT_EQ(reply.status, 0);
  EXPECT_GE(reply.total, Millis(145));
  EXPECT_LT(reply.total, Millis(2000));
}

TEST_F(HttpClientTest, ADripOfAByteATimeCannotHoldTheSlot) {
  Script([](Connection& connection, const std::string&) {
    connection.Drip("HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'a'), Millis(5));
  });
  HttpPost post = PostTo(route_);
  post.timeout = Millis(200);
  EXPECT_EQ(Send(std::move(post)).error, HttpError::kTimedOut);
}

TEST_F(HttpClientTest, AStatusStandsWhateverHappensToTheBody) {
  Script([](Connection& connection, const std::string&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  HttpPost post = PostTo(route_);
  post.timeout = Millis(150);
  const HttpReply reply = Send(std::move(post));
  EXPECT_EQ(reply.error, HttpError::kTimedOut);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.answer, "only this");
  EXPECT_FALSE(reply.answer_whole);
}

TEST_F(HttpClientTest, RefusedAndResetConnectionsAreUnreachable) {
  const RefusingPort refusing;
  EXPECT_EQ(Send(PostTo(RouteTo("http://127.0.0.1:" + std::to_string(refusing.port())))).error,
            HttpError::kUnreachable);
  sink_.ResetOnAccept();
  EXPECT_EQ(Send().error, HttpError::kUnreachable);
}

TEST_F(HttpClientTest, AResetInsteadOfAnAnswerIsUnreachable) {
  Script([](Connection& connection, const std::string&) { connection.Reset(); });
  EXPECT_EQ(Send().error, HttpError::kUnreachable);
}

TEST_F(HttpClientTest, WhatIsNoHttpIsUnreachable) {
  for (const char* rubbish :
       {"SSH-2.0-OpenSSH_9.2\r\n", "hello\r\n\r\n", "\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n"}) {
    Script([rubbish](Connection& connection, const std::string&) {
      connection.Send(rubbish);
      connection.Close();
    });
    const HttpReply reply = Send();
    EXPECT_EQ(reply.error, HttpError::kUnreachable) << rubbish;
    EXPECT_EQ(reply.status, 0) << rubbish;
  }
}

TEST_F(HttpClientTest, AHeadOverItsLimitIsTooLarge) {
  Script([](Connection& connection, const std::string&) {
    connection.Send("HTTP/1.1 200 OK\r\n");
    connection.Flood("X-Pad: " + std::string(1000, 'a') + "\r\n");
  });
  const HttpReply reply = Send();
  EXPECT_EQ(reply.error, HttpError::kTooLarge);
  EXPECT_EQ(reply.status, 0);
}

TEST_F(HttpClientTest, EndlessInformationalHeadsAreTooLarge) {
  Script([](Connection& connection, const std::string&) {
    connection.Flood("HTTP/1.1 103 Early Hints\r\n\r\n");
  });
  EXPECT_EQ(Send().error, HttpError::kTooLarge);
}

TEST_F(HttpClientTest, AFewInformationalHeadsAreSkipped) {
  Script([](Connection& connection, const std::string&) {
    connection.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
    connection.Answer(204);
  });
  EXPECT_EQ(Send().status, 204);
}

// The answer was given with its head; reading the rest would only feed the flood.
TEST_F(HttpClientTest, AnEndlessBodyEndsTheConnectionNotTheSuccess) {
  Script([](Connection& connection, const std::string&) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.Flood("400\r\n" + std::string(1024, 'a') + "\r\n");
  });
  const HttpReply reply = Send();
  EXPECT_EQ(reply.error, HttpError::kNone);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.answer.size(), 1024u);
  EXPECT_FALSE(reply.answer_whole);
  EXPECT_TRUE(RunUntil(loop_, [&] { return sink_.open_connections() == 0; }));
}

TEST_F(HttpClientTest, ARedirectIsAnAnswerAndIsNeverFollowed) {
  Script([this](Connection& connection, const std::string&) {
    connection.Answer(307, "", "Location: " + sink_.url() + "\r\n");
  });
  EXPECT_EQ(Send().status, 307);
  EXPECT_EQ(sink_.requests().size(), 1u);
}

// Bytes after an answer would be taken for the next request's answer.
TEST_F(HttpClientTest, AConnectionWithLeftoversIsNotUsedAgain) {
  Script([](Connection& connection, const std::string&) {
    connection.Answer(200, "first");
    connection.Answer(500, "planted");
  });
  EXPECT_EQ(Send().answer, "first");
  Script(&AnswerOk);
  const HttpReply second = Send();
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.answer, "ok");
  EXPECT_FALSE(second.connection_reused);
}

TEST_F(HttpClientTest, LeftoversThatComeLaterDoNotCountEither) {
  Connection* resting = nullptr;
  Script([&](Connection& connection, const std::string&) {
    resting = &connection;
    connection.Answer(200, "first");
  });
  EXPECT_EQ(Send().answer, "first");
  resting->Answer(500, "planted");
  EXPECT_TRUE(RunUntil(loop_, [&] { return sink_.open_connections() == 0; }));
  Script(&AnswerOk);
  EXPECT_EQ(Send().answer, "ok");
}

TEST_F(HttpClientTest, CompressedAnswersStayAsTheyAre) {
  Script([](Connection& connection, const std::string&) {
    connection.Answer(200, "\x1f\x8b bomb", "Content-Encoding: gzip\r\n");
  });
  EXPECT_EQ(Send().answer, "\x1f\x8b bomb");
}

TEST_F(HttpClientTest, TellsWhatRetryAfterSays) {
  Script([](Connection& connection, const std::string&) {
    connection.Answer(503, "", "ReTry-AFTER:  120 \r\n");
  });
  const HttpReply reply = Send();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.retry_after, "120");
  Script(&AnswerOk);
  EXPECT_EQ(Send().retry_after, "");
}

// ---- The walls

TEST_F(HttpClientTest, ConnectsToTheVettedAddressWhateverTheNameMeans) {
  // No resolver knows this name; only the pin can lead anywhere.
  const auto route = RouteTo("http://customer.invalid:" + std::to_string(sink_.port()) + "/hook");
  EXPECT_EQ(Send(PostTo(route)).status, 200);
  EXPECT_THAT(sink_.requests()[0],
              HasSubstr("Host: customer.invalid:" + std::to_string(sink_.port()) + "\r\n"));
}

TEST_F(HttpClientTest, AConnectionToAnAddressThatIsNoLongerVettedIsNotUsed) {
  const auto route = RouteTo("http://customer.invalid:" + std::to_string(sink_.port()) + "/hook");
  EXPECT_EQ(Send(PostTo(route)).status, 200);
  HttpPost moved = PostTo(route);
  moved.address = IpAddress::V4(0x7f000002);  // Nobody listens there.
  const HttpReply reply = Send(std::move(moved));
  EXPECT_EQ(reply.error, HttpError::kUnreachable);
  EXPECT_EQ(sink_.requests().size(), 1u);
}

TEST_F(HttpClientTest, ProxyVariablesAreIgnored) {
  const RefusingPort proxy;
  const std::string value = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) setenv(name, value.c_str(), 1);
  EXPECT_EQ(Send().status, 200);
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
}

// ---- Handles

TEST_F(HttpClientTest, ADestroyedCallIsAbortedAndSilent) {
  Script([](Connection&, const std::string&) {});
  bool called = false;
  auto call = client_.Post(PostTo(route_), [&](HttpReply) { called = true; });
  ASSERT_TRUE(RunUntil(loop_, [&] { return !sink_.requests().empty(); }));
  call.reset();
  EXPECT_TRUE(RunUntil(loop_, [&] { return sink_.open_connections() == 0; }));
  EXPECT_FALSE(called);
  Script(&AnswerOk);
  EXPECT_EQ(Send().status, 200);
}

TEST_F(HttpClientTest, ACallMayBeDestroyedBeforeItWasSent) {
  bool called = false;
  client_.Post(PostTo(route_), [&](HttpReply) { called = true; }).reset();
  EXPECT_EQ(Send().status, 200);
  EXPECT_EQ(sink_.requests().size(), 1u);
  EXPECT_FALSE(called);
}

TEST_F(HttpClientTest, ACallbackMayEndItsOwnCallAndAnotherAndStartANewOne) {
  std::unique_ptr<HttpCall> first, second, third;
  int others = 0;
  bool third_done = false;
  const auto on_first = [&](HttpReply) {
    first.reset();
    second.reset();
    third = client_.Post(PostTo(route_), [&](HttpReply) { third_done = true; });
  };
  first = client_.Post(PostTo(route_), on_first);
  Script([&](Connection& connection, const std::string&) {
    if (sink_.requests().size() != 2) connection.Answer(200);
  });
  second = client_.Post(PostTo(route_), [&](HttpReply) { ++others; });
  EXPECT_TRUE(RunUntil(loop_, [&] { return third_done; }));
  EXPECT_EQ(others, 0);
}

TEST_F(HttpClientTest, KeepsNoMoreIdleHandlesThanItMay) {
  CurlHttpClient::Limits limits = Limits();
  limits.handles_kept_max = 2;
  CurlHttpClient client(loop_, limits);
  for (int i = 0; i < 10; ++i) {
    std::optional<HttpReply> got;
    const auto call = client.Post(PostTo(RouteTo(sink_.url())), [&](HttpReply r) { got = r; });
    ASSERT_TRUE(RunUntil(loop_, [&] { return got.has_value(); }));
    EXPECT_EQ(got->status, 200);
  }
}

}  // namespace
}  // namespace relay

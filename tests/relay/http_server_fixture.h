#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/http_server.h"
#include "tests/support/raw_client.h"
#include "tests/support/run_until.h"

namespace relay {

// A real server on a free port of loopback, and real clients, in one thread. The server answers
// each request with its path, or, when held, keeps the exchange for the test to answer.
class HttpServerFixture : public testing::Test {
 protected:
  void Start(HttpLimits limits = {}) {
    server_ = std::make_unique<HttpServer>(
        loop_, limits, [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
        [this](std::string_view reason, int status) {
          refusals_.push_back(std::to_string(status) + " " + std::string(reason));
        });
    const Status listening = server_->Listen({.host = "127.0.0.1"});
    ASSERT_TRUE(listening.ok()) << listening.ToString();
  }

  RawClient NewClient() { return RawClient::Connect(server_->port()); }

  // A client that sends `bytes` and is waited for until the server closes.
  std::string SendAndReadToEnd(std::string_view bytes) {
    RawClient client = NewClient();
    EXPECT_EQ(client.Send(bytes), bytes.size());
    EXPECT_TRUE(Until([&] { return client.Look().closed(); }));
    EXPECT_FALSE(client.reset());
    return client.received();
  }

  bool Until(const std::function<bool()>& done) { return RunUntil(loop_, done); }
  bool UntilReceived(RawClient& client, std::string_view text) {
    return Until([&] { return client.Look().Count(text) > 0; });
  }

  static std::string Get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  // The answer to Get(path) on a connection that stays.
  static std::string AnswerTo(std::string_view path) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
           std::to_string(path.size()) + "\r\n\r\n" + std::string(path);
  }
  static void AnswerWithPath(HttpExchange& exchange) {
    const std::string path(exchange.request().path);
    exchange.Answer({.content_type = "text/plain", .body = path});
  }

  SystemLoop loop_;
  std::unique_ptr<HttpServer> server_;
  bool hold_ = false;
  int requests_ = 0;
  std::string last_body_;
  std::vector<HttpExchange> held_;
  std::vector<std::string> refusals_;

 private:
  void OnRequest(HttpExchange exchange) {
    ++requests_;
    last_body_ = exchange.request().body;
    if (hold_) {
      held_.push_back(std::move(exchange));
    } else {
      AnswerWithPath(exchange);
    }
  }
};

}  // namespace relay

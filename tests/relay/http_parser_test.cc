#include "relay/http_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/relay/http_parser_drive.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Parsed ExpectAccepted(std::string_view bytes, HttpParserLimits limits = {}) {
  const Parsed parsed = ParseEveryWay(bytes, limits);
  EXPECT_EQ(parsed.progress, HttpProgress::kComplete) << bytes << "\n"
                                                      << parsed.status << " " << parsed.reason;
  return parsed;
}

TEST(HttpParserTest, ReadsAProvidersCallback) {
  const Parsed parsed = ExpectAccepted(
      "POST /in/demo?a=1&b HTTP/1.1\r\n"
      "Host: relay.example:8080\r\n"
      "Content-Type: application/json\r\n"
      "Content-Length: 12\r\n\r\n"
      "{\"code\": 0}\n");
  EXPECT_EQ(parsed.method, "POST");
  EXPECT_EQ(parsed.path, "/in/demo");
  EXPECT_EQ(parsed.query, "a=1&b");
  EXPECT_THAT(parsed.headers,
              ElementsAre(Pair("Host", "relay.example:8080"),
                          Pair("Content-Type", "application/json"), Pair("Content-Length", "12")));
  EXPECT_EQ(parsed.body, "{\"code\": 0}\n");
  EXPECT_TRUE(parsed.keep_alive);
}

TEST(HttpParserTest, LeavesThePipelinedRequestBehind) {
  const std::string first = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(ExpectAccepted(first + "GET /2 HTTP/1.1\r\n").consumed, first.size());
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  EXPECT_EQ(ExpectAccepted(post + "GET /2").consumed, post.size());
  const std::string chunks =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(ExpectAccepted(chunks + "GET /2").consumed, chunks.size());
}

// The body would otherwise be run as the next request.
TEST(HttpParserTest, TakesTheBodyOfGetAndHead) {
  for (std::string method : {"GET", "HEAD"}) {
    const std::string bytes =
        method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nGET /evil HTTP/1.1\r\n";
    const Parsed parsed = ExpectAccepted(bytes);
    EXPECT_EQ(parsed.consumed, bytes.size());
    EXPECT_EQ(parsed.body, "GET /evil HTTP/1.1\r\n");
  }
}

TEST(HttpParserTest, OneEmptyLineMayComeFirst) {
  EXPECT_EQ(ExpectAccepted("\r\nGET /x?y HTTP/1.1\r\nHost: a\r\n\r\n").path, "/x");
}

TEST(HttpParserTest, TrimsBlanksAroundAValueAndKeepsThoseInside) {
  const Parsed parsed = ExpectAccepted(
      "GET / HTTP/1.1\r\nHost:a\r\nX-One: \t a \t b \t \r\nX-Two:\r\nX-Three: "
      "\xc3\xa9\xff\r\n\r\n");
  EXPECT_THAT(parsed.headers, ElementsAre(Pair("Host", "a"), Pair("X-One", "a \t b"),
                                          Pair("X-Two", ""), Pair("X-Three", "\xc3\xa9\xff")));
}

TEST(HttpParserTest, ConnectionOptionsDecideWhetherItStays) {
  const auto stays = [](std::string version, std::string connection) {
    return ExpectAccepted("GET / " + version + "\r\nHost: a\r\n" + connection + "\r\n").keep_alive;
  };
  EXPECT_TRUE(stays("HTTP/1.1", ""));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(stays("HTTP/1.1", "connection: x , CLOSE,y\r\n"));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_TRUE(stays("HTTP/1.1", "Connection: not-close\r\n"));
  EXPECT_FALSE(stays("HTTP/1.0", ""));
  EXPECT_TRUE(stays("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(stays("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(HttpParserTest, OldClientsNeedNoHost) {
  EXPECT_EQ(ExpectAccepted("GET / HTTP/1.0\r\n\r\n").path, "/");
}

TEST(HttpParserTest, HostTakesNamesAddressesAndPorts) {
  for (std::string host : {"a", "relay.example", "relay_1.example:80", "127.0.0.1:65535", "[::1]",
                           "[2001:db8::1]:8080", "[::ffff:127.0.0.1]:1"}) {
    ExpectAccepted("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
}

TEST(HttpParserTest, DecodesChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
  EXPECT_EQ(ExpectAccepted(head + "0\r\n\r\n").body, "");
  EXPECT_EQ(ExpectAccepted(head + "3\r\nabc\r\n00000002\r\nde\r\n000\r\n\r\n").body, "abcde");
  EXPECT_EQ(ExpectAccepted(head + "A\r\n0123456789\r\nc\r\n0\r\n\r\n4567890\r\n0\r\n\r\n").body,
            "01234567890\r\n\r\n4567890");
}

TEST(HttpParserTest, ChecksAndIgnoresChunkExtensions) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(ExpectAccepted(head + "3;a=b\r\nabc\r\n0;end\r\n\r\n").body, "abc");
  EXPECT_EQ(ExpectAccepted(head + "3;a=\"x\\\"; y\";c\r\nabc\r\n0\r\n\r\n").body, "abc");
}

TEST(HttpParserTest, DropsTrailers) {
  const Parsed parsed = ExpectAccepted(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Empty:\r\n\r\n");
  EXPECT_EQ(parsed.body, "abc");
  EXPECT_EQ(parsed.headers.size(), 2u);
}

TEST(HttpParserTest, SaysWhenTheClientWaitsForAContinue) {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n";
  HttpParser waits({});
  EXPECT_EQ(waits.Feed(head), HttpProgress::kNeedMore);
  EXPECT_TRUE(waits.in_body());
  EXPECT_TRUE(waits.continue_expected());
  EXPECT_EQ(waits.bytes_wanted(), 3u);

  HttpParser sends({});
  EXPECT_EQ(sends.Feed(head + "a"), HttpProgress::kNeedMore);
  EXPECT_FALSE(sends.continue_expected());

  HttpParser old({});
  EXPECT_EQ(old.Feed("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
            HttpProgress::kNeedMore);
  EXPECT_FALSE(old.continue_expected());
}

TEST(HttpParserTest, AnUnfinishedRequestWaits) {
  for (std::string bytes :
       {"", "P", "POST / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    EXPECT_EQ(ParseEveryWay(bytes).progress, HttpProgress::kNeedMore) << bytes;
  }
}

TEST(HttpParserTest, NothingOfOneRequestIsLeftInTheNext) {
  HttpParser parser({});
  const std::string first =
      "POST /a?b HTTP/1.0\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
  ASSERT_EQ(parser.Feed(first), HttpProgress::kComplete);
  parser.Reset();
  const std::string chunks =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  ASSERT_EQ(parser.Feed(chunks), HttpProgress::kComplete);
  parser.Reset();
  const std::string last = "GET /c HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(parser.Feed(last), HttpProgress::kComplete);
  EXPECT_EQ(parser.path(), "/c");
  EXPECT_EQ(parser.query(), "");
  EXPECT_EQ(parser.body(), "");
  EXPECT_EQ(parser.headers().size(), 1u);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.chunked());
}

}  // namespace
}  // namespace relay

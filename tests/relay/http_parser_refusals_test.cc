#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/relay/http_parser_drive.h"

// What is refused, with which status and which word. Every case is also cut at each place and fed
// byte by byte: where a request is cut is up to the network, and so up to an attacker.

namespace relay {
namespace {

using namespace std::string_literals;

struct Case {
  std::string bytes;
  int status;
  std::string reason;
};

void ExpectRefused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.bytes));
    const Parsed parsed = ParseEveryWay(c.bytes);
    EXPECT_EQ(parsed.progress, HttpProgress::kRefused);
    EXPECT_EQ(parsed.status, c.status);
    EXPECT_EQ(parsed.reason, c.reason);
  }
}

std::string WithHeaders(const std::string& headers) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

std::string WithChunks(const std::string& chunks) {
  return WithHeaders("Transfer-Encoding: chunked\r\n") + chunks;
}

std::string WithRequestLine(const std::string& line) {
  return line + "\r\nHost: a\r\n\r\n";
}

TEST(HttpParserRefusalsTest, RequestLine) {
  ExpectRefused({
      {WithRequestLine("GET / HTTP/1.2"), 505, "version"},
      {WithRequestLine("GET / HTTP/2.0"), 505, "version"},
      {WithRequestLine("GET / HTTP/0.9"), 505, "version"},
      {WithRequestLine("GET / HTTP/1.+1"), 400, "request_line"},
      {WithRequestLine("GET / HTTP/4294967297.1"), 400, "request_line"},
      {WithRequestLine("GET / HTTP/1.10"), 400, "request_line"},
      {WithRequestLine("GET / HTTP/1"), 400, "request_line"},
      {WithRequestLine("GET / http/1.1"), 400, "request_line"},
      {WithRequestLine("GET / HTTP/1.1 "), 400, "request_line"},
      {WithRequestLine("GET / HTTP /1.1"), 400, "request_line"},
      {WithRequestLine("GET /"), 400, "request_line"},
      {WithRequestLine("GET"), 400, "request_line"},
      {WithRequestLine(" GET / HTTP/1.1"), 400, "request_line"},
      {WithRequestLine("G@T / HTTP/1.1"), 400, "request_line"},
      {WithRequestLine("GET  / HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET /  HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET /a b HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET /\ta HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET /a#b HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET /\xc3\xa9 HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET in/demo HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET http://a/ HTTP/1.1"), 400, "target"},
      {WithRequestLine("GET * HTTP/1.1"), 400, "target"},
      {WithRequestLine("PUT / HTTP/1.1"), 405, "method"},
      {WithRequestLine("DELETE / HTTP/1.1"), 405, "method"},
      {WithRequestLine("OPTIONS * HTTP/1.1"), 405, "method"},
      {WithRequestLine("CONNECT a:443 HTTP/1.1"), 405, "method"},
      {WithRequestLine("TRACE / HTTP/1.1"), 405, "method"},
      {WithRequestLine("get / HTTP/1.1"), 501, "method_unknown"},
      {WithRequestLine("BREW / HTTP/1.1"), 501, "method_unknown"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request_line"},
  });
}

TEST(HttpParserRefusalsTest, LineEndsAndControlBytes) {
  ExpectRefused({
      {"GET / HTTP/1.1\nHost: a\n\n", 400, "line_end"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "line_end"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n", 400, "line_end"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "line_end"},
      {"GET / HTTP/1.1\rHost: a\r\r", 400, "line_end"},
      {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "line_end"},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, "line_end"},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line_end"},
      {"GET /a\0b HTTP/1.1\r\n"s, 400, "control_byte"},
      {WithHeaders("X: a\0b\r\n"s), 400, "control_byte"},
      {WithHeaders("X\0: a\r\n"s), 400, "control_byte"},
      {WithHeaders("X: a\x7f\r\n"), 400, "control_byte"},
      {WithHeaders("X: \x01\r\n"), 400, "control_byte"},
      {WithHeaders("X: a\vb\r\n"), 400, "control_byte"},
      // A TLS client on the plain port is told at its first byte, not at a deadline.
      {"\x16\x03\x01\x02\x00\x01"s, 400, "control_byte"},
  });
}

TEST(HttpParserRefusalsTest, HeaderNames) {
  ExpectRefused({
      {WithHeaders("X : a\r\n"), 400, "header_name"},
      {WithHeaders("X\t: a\r\n"), 400, "header_name"},
      {WithHeaders("Content-Length : 3\r\n"), 400, "header_name"},
      {WithHeaders(": a\r\n"), 400, "header_name"},
      {WithHeaders("no colon\r\n"), 400, "header_name"},
      {WithHeaders("nocolon\r\n"), 400, "header_name"},
      {WithHeaders("X(y): a\r\n"), 400, "header_name"},
      {WithHeaders("X\xc3\xa9: a\r\n"), 400, "header_name"},
      {WithHeaders("Content_Length: 3\r\n"), 400, "header_name"},
      {WithHeaders("transfer_ENCODING: chunked\r\n"), 400, "header_name"},
      {WithHeaders("X: a\r\n b\r\n"), 400, "folded_header"},
      {WithHeaders("X: a\r\n\tb\r\n"), 400, "folded_header"},
      {WithHeaders("Transfer-Encoding:\r\n chunked\r\n"), 400, "folded_header"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded_header"},
      {"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", 400, "folded_header"},
  });
}

TEST(HttpParserRefusalsTest, Host) {
  const auto with_host = [](const std::string& line) {
    return "GET / HTTP/1.1\r\n" + line + "\r\n";
  };
  std::vector<Case> cases = {
      {with_host(""), 400, "host"},
      {with_host("Host: a\r\nHost: a\r\n"), 400, "host"},
      {with_host("Host: a\r\nhost: b\r\n"), 400, "host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "host"},
  };
  for (std::string host : {"",        "a b",      "a,b",      "a/b",  "a@b", "a:",      "a:b",
                           "a:65536", "a:999999", ":80",      "[::1", "[]",  "[::1]x",  "[::1]:",
                           "[g::1]",  "a:80:80",  "http://a", "a#",   "a?b", "\xc3\xa9"}) {
    cases.push_back({with_host("Host: " + host + "\r\n"), 400, "host"});
  }
  cases.push_back({with_host("Host: " + std::string(256, 'a') + "\r\n"), 400, "host"});
  ExpectRefused(cases);
}

TEST(HttpParserRefusalsTest, ContentLength) {
  std::vector<Case> cases = {
      {WithHeaders("Content-Length: 3\r\nContent-Length: 3\r\n") + "abc", 400, "content_length"},
      {WithHeaders("Content-Length: 3\r\ncontent-length: 4\r\n") + "abc", 400, "content_length"},
      {WithHeaders("Content-Length: 1048577\r\n"), 413, "body_too_large"},
      {WithHeaders("Content-Length: 9999999999\r\n"), 413, "body_too_large"},
      {WithHeaders("Content-Length: 3\0\r\n"s), 400, "control_byte"},
      {WithHeaders("Content-Length: \v3\r\n"), 400, "control_byte"},
  };
  for (std::string length : {"", "3, 3", "3,", "+3", "-1", "0x3", "3 9", "3.0", "3e1", "a", "\"3\"",
                             "12345678901", "99999999999999999999999", "\xb2"}) {
    cases.push_back({WithHeaders("Content-Length: " + length + "\r\n"), 400, "content_length"});
  }
  ExpectRefused(cases);
}

TEST(HttpParserRefusalsTest, TransferEncoding) {
  std::vector<Case> cases = {
      {WithHeaders("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400,
       "transfer_encoding"},
      {WithHeaders("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400,
       "transfer_encoding"},
      {WithHeaders("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
       "transfer_encoding"},
      {WithHeaders("Transfer-Encoding:\r\n"), 400, "transfer_encoding"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "transfer_encoding"},
      {WithHeaders("Transfer-Encoding: \vchunked\r\n"), 400, "control_byte"},
  };
  for (std::string coding : {"xchunked", "identity", "gzip", "gzip, chunked", "chunked, chunked",
                             "chunked, identity", "chunked,", ",chunked", "chunked;q=1",
                             "\"chunked\"", "chunkedchunked", "chunked chunked", "c\xc2hunked"}) {
    cases.push_back({WithHeaders("Transfer-Encoding: " + coding + "\r\n"), 501, "transfer_coding"});
  }
  ExpectRefused(cases);
}

TEST(HttpParserRefusalsTest, ChunkSizes) {
  std::vector<Case> cases = {
      {WithChunks("3\nabc\r\n0\r\n\r\n"), 400, "line_end"},
      {WithChunks("3\rabc\r\n0\r\n\r\n"), 400, "line_end"},
      {WithChunks("3\r\nabc0\r\n\r\n"), 400, "chunk_end"},
      {WithChunks("3\r\nabcd\r\n0\r\n\r\n"), 400, "chunk_end"},
      {WithChunks("3\r\nabc\n0\r\n\r\n"), 400, "chunk_end"},
      {WithChunks("3\r\nabc\r0\r\n\r\n"), 400, "chunk_end"},
      {WithChunks("3\r\nabc\r\n0\r\n\n"), 400, "line_end"},
      {WithChunks("3\0\r\nabc\r\n0\r\n\r\n"s), 400, "control_byte"},
      {WithChunks("100001\r\n"), 413, "body_too_large"},
      {WithChunks("1\r\na\r\n100000\r\n"), 413, "body_too_large"},
      {WithChunks("FFFFFFFF\r\n"), 413, "body_too_large"},
  };
  for (std::string size : {"", "0x3", "+3", "-0", " 3", "3 ", "3\t", "3 junk", "3 ;a=b", "g", "3g",
                           "\"3\"", "000000003", "FFFFFFFFFFFFFFFF", "10000000000000003"}) {
    cases.push_back({WithChunks(size + "\r\nabc\r\n0\r\n\r\n"), 400, "chunk_size"});
  }
  ExpectRefused(cases);
}

TEST(HttpParserRefusalsTest, ChunkExtensionsAndTrailers) {
  std::vector<Case> cases = {
      {WithChunks("3;a\nb\r\nabc\r\n"), 400, "line_end"},
      {WithChunks("3;a=b\0\r\nabc\r\n"s), 400, "control_byte"},
      {WithChunks("0\r\nX : a\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\n: a\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nnocolon\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nX: a\r\n folded\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nContent-Length: 3\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nHOST: b\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nConnection: close\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nContent_Length: 3\r\n\r\n"), 400, "trailer"},
      {WithChunks("0\r\nX: a\nY: b\r\n\r\n"), 400, "line_end"},
      {WithChunks("0\r\nX: \x7f\r\n\r\n"), 400, "control_byte"},
  };
  for (std::string extension : {";", ";=b", ";a=", "; a=b", ";a =b", ";a= b", ";a=\"b", ";a=\"b\\",
                                ";a=\"b\"c", ";;", ";a;", ";a=b c", ";(a)"}) {
    cases.push_back({WithChunks("3" + extension + "\r\nabc\r\n"), 400, "chunk_extension"});
  }
  ExpectRefused(cases);
}

TEST(HttpParserRefusalsTest, ExpectationsAndConnectionOptions) {
  ExpectRefused({
      {WithHeaders("Connection: close now\r\n"), 400, "connection"},
      {WithHeaders("Connection: close, \"x\"\r\n"), 400, "connection"},
      {WithHeaders("Expect: 200-ok\r\n"), 417, "expectation"},
      {WithHeaders("Expect: 100-continue, x\r\n"), 417, "expectation"},
      {WithHeaders("Expect:\r\n"), 417, "expectation"},
  });
}

}  // namespace
}  // namespace relay

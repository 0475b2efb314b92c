#include <gtest/gtest.h>

#include <string>

#include "tests/relay/http_parser_drive.h"

namespace relay {
namespace {

std::string Repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

const std::string kChunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

void ExpectVerdict(const std::string& bytes, int status, const std::string& reason,
                   HttpParserLimits limits = {}) {
  const Parsed parsed = ParseEveryWay(bytes, limits);
  EXPECT_EQ(parsed.progress, status == 0 ? HttpProgress::kComplete : HttpProgress::kRefused);
  EXPECT_EQ(parsed.status, status);
  EXPECT_EQ(parsed.reason, reason);
}

TEST(HttpParserLimitsTest, TheTargetMayHaveFourKibibytes) {
  const auto with_target = [](size_t bytes) {
    return "GET /" + std::string(bytes - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  ExpectVerdict(with_target(4096), 0, "");
  ExpectVerdict(with_target(4097), 414, "target_too_long");
  ExpectVerdict(with_target(100'000), 414, "target_too_long");
  // Without an end it is the limit of the head that stops it.
  ExpectVerdict("GET /" + std::string(20'000, 'a'), 414, "target_too_long");
}

TEST(HttpParserLimitsTest, AHeadThatEndsAtTheLimitIsTaken) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: bcd\r\n\r\n";
  for (size_t limit = head.size() - 12; limit < head.size() + 3; ++limit) {
    SCOPED_TRACE(limit);
    const bool fits = limit >= head.size();
    ExpectVerdict(head + "more", fits ? 0 : 431, fits ? "" : "head_too_large",
                  {.head_bytes_max = limit});
  }
}

TEST(HttpParserLimitsTest, AHeadWithoutEndIsCutOff) {
  ExpectVerdict("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'b'), 431,
                "head_too_large");
  ExpectVerdict("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(20'000, 'n'), 431, "head_too_large");
}

TEST(HttpParserLimitsTest, SixtyFourHeadersAreTakenAndNotOneMore) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  ExpectVerdict(start + Repeated("X: b\r\n", 63) + "\r\n", 0, "");
  ExpectVerdict(start + Repeated("X: b\r\n", 64) + "\r\n", 431, "too_many_headers");
  ExpectVerdict(start + Repeated("X: b\r\n", 10'000) + "\r\n", 431, "too_many_headers");
}

TEST(HttpParserLimitsTest, ABodyMayHaveAsManyBytesAsTheLimitSays) {
  const HttpParserLimits limits{.body_bytes_max = 5};
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  ExpectVerdict(start + "Content-Length: 5\r\n\r\nabcde", 0, "", limits);
  ExpectVerdict(start + "Content-Length: 6\r\n\r\nabcdef", 413, "body_too_large", limits);
  ExpectVerdict(kChunkedHead + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0, "", limits);
  ExpectVerdict(kChunkedHead + "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", 413, "body_too_large", limits);
}

TEST(HttpParserLimitsTest, AChunkSizeWithoutEndIsCutOff) {
  ExpectVerdict(kChunkedHead + std::string(5'000, '0'), 400, "chunk_size");
  ExpectVerdict(kChunkedHead + "3;" + std::string(5'000, 'a'), 400, "chunk_extension");
}

TEST(HttpParserLimitsTest, ExtensionsAreBoundByTheChunkAndInAll) {
  const std::string longest = "1;" + std::string(255, 'a') + "\r\nx\r\n";
  ExpectVerdict(kChunkedHead + Repeated(longest, 16) + "0\r\n\r\n", 0, "");
  ExpectVerdict(kChunkedHead + Repeated(longest, 16) + "1;a\r\nx\r\n0\r\n\r\n", 400,
                "chunk_extension");
  ExpectVerdict(kChunkedHead + "1;" + std::string(256, 'a') + "\r\nx\r\n0\r\n\r\n", 400,
                "chunk_extension");
}

TEST(HttpParserLimitsTest, TrailersMayHaveFourKibibytes) {
  // "X: ", its CRLF and the last CRLF come on top.
  ExpectVerdict(kChunkedHead + "0\r\nX: " + std::string(4096 - 7, 'a') + "\r\n\r\n", 0, "");
  ExpectVerdict(kChunkedHead + "0\r\nX: " + std::string(4096 - 6, 'a') + "\r\n\r\n", 431,
                "trailer_too_large");
  ExpectVerdict(kChunkedHead + "0\r\n" + Repeated("X: a\r\n", 10'000) + "\r\n", 431,
                "trailer_too_large");
}

TEST(HttpParserLimitsTest, OneByteChunksMakeAWholeBody) {
  const Parsed parsed = ParseEveryWay(kChunkedHead + Repeated("1\r\na\r\n", 2'000) + "0\r\n\r\n");
  EXPECT_EQ(parsed.progress, HttpProgress::kComplete);
  EXPECT_EQ(parsed.body, std::string(2'000, 'a'));
}

}  // namespace
}  // namespace relay

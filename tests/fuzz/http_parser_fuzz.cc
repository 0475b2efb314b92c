#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "relay/random.h"
#include "tests/fuzz/http_oracle.h"
#include "tests/support/parse_http.h"

// Two properties of the request parser, for every input:
//
//   1. The result is the same for every split of the bytes, under ordinary and under tiny limits.
//   2. What ours accepts, three other parsers accept too, with the same method, target, headers,
//      body and length. (Not the other way round: ours is the strictest on purpose.) A request
//      that two servers read in two ways is how requests are smuggled.

namespace relay {
namespace {

constexpr HttpParserLimits kTiny{.head_bytes_max = 96, .headers_max = 3, .body_bytes_max = 24};

[[noreturn]] void Fail(const char* claim, std::string_view detail) {
  std::fprintf(stderr, "broken: %s: %.*s\n", claim, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

// The cuts follow from the bytes, so that an input is a plain request that a person can read, and
// still always tried in the same way.
std::vector<size_t> SomeCuts(std::string_view bytes) {
  uint64_t seed = bytes.size();
  for (char c : bytes) seed = seed * 0x100000001b3 + static_cast<uint8_t>(c);
  Random random(seed);
  std::vector<size_t> cuts;
  for (size_t at = 0; at < bytes.size();) {
    // Mostly short steps, now and then a long one.
    at += 1 + random.Below(random.Below(4) == 0 ? 64 : 4);
    if (at < bytes.size()) cuts.push_back(at);
  }
  return cuts;
}

void CheckSplits(std::string_view bytes, const HttpParserLimits& limits, const Parsed& whole) {
  if (ParseCut(bytes, SomeCuts(bytes), limits) != whole) Fail("the split does not matter", bytes);
  std::vector<size_t> every;
  for (size_t cut = 1; cut < bytes.size() && cut < 512; ++cut) every.push_back(cut);
  if (ParseCut(bytes, every, limits) != whole) Fail("the split does not matter (bytes)", bytes);
}

void Compare(const char* oracle, const Parsed& ours, const OracleReading& theirs) {
  if (!theirs.error.empty()) Fail(oracle, theirs.error);
  if (theirs.complete_early) Fail(oracle, "complete before ours");
  if (!theirs.complete) Fail(oracle, "not complete with ours");
  if (theirs.method != ours.method) Fail(oracle, "method");
  std::string target = ours.path;
  if (theirs.target.size() > target.size()) target += "?" + ours.query;
  if (theirs.target != target) Fail(oracle, "target");
  if (theirs.headers != ours.headers) Fail(oracle, "headers");
  if (theirs.body != ours.body) Fail(oracle, "body");
}

// Where an oracle refuses what RFC 9112 allows, its refusal does not count.

bool HttpParserIsWrongAbout(const Parsed& ours) {
  constexpr std::string_view kName = "transfer-encoding";
  for (const auto& [name, value] : ours.headers) {
    // http_parser 2.9.4 takes note of Transfer-Encoding at the name's last letter, and keeps the
    // note when the name then goes on, as in "Transfer-Encoding-X".
    if (name.size() > kName.size() && SameHeaderName(name.substr(0, kName.size()), kName)) {
      return true;
    }
  }
  return false;
}

// A tab in the value of the named header; `name` with its line end before it and its colon.
bool HasTabIn(std::string_view name, std::string_view request) {
  for (size_t at = 0; at + name.size() <= request.size(); ++at) {
    if (!SameHeaderName(request.substr(at, name.size()), name)) continue;
    const std::string_view value = request.substr(at + name.size());
    if (value.substr(0, value.find('\r')).find('\t') != std::string_view::npos) return true;
  }
  return false;
}

bool RefusesTabAfterFraming(std::string_view request, const OracleReading& theirs) {
  // http_parser and llhttp take blanks after the value of the headers that frame a body, but not
  // the tabs that RFC 9110 section 5.6.3 allows as well.
  if (theirs.error == "HPE_INVALID_CONTENT_LENGTH") {
    return HasTabIn("\r\ncontent-length:", request);
  }
  if (theirs.error == "HPE_INVALID_TRANSFER_ENCODING") {
    return HasTabIn("\r\ntransfer-encoding:", request);
  }
  return false;
}

bool LlhttpRefusesExtension(std::string_view request, const OracleReading& theirs) {
  // llhttp 8.1 ends a chunk extension with its first value: it takes ";a=b" and ";a;b=c", and
  // refuses ";a=b;c" as well as some of the characters that a quoted value may have.
  if (theirs.error != "HPE_INVALID_CHUNK_SIZE" && theirs.error != "HPE_STRICT") return false;
  const size_t extension = request.find(';', request.find("\r\n\r\n"));
  return extension != std::string_view::npos &&
         request.find('=', extension) != std::string_view::npos;
}

bool BeastIsWrongAbout(std::string_view request) {
  // Beast reads Proxy-Connection, as a header and as a trailer, as if it were Connection. It is a
  // field of no standard, and means nothing to a server.
  constexpr std::string_view kName = "proxy-connection";
  for (size_t at = 0; at + kName.size() <= request.size(); ++at) {
    if (SameHeaderName(request.substr(at, kName.size()), kName)) return true;
  }
  return false;
}

}  // namespace
}  // namespace relay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace relay;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckSplits(bytes, kTiny, ParseCut(bytes, {}, kTiny));
  const Parsed ours = ParseCut(bytes, {});
  CheckSplits(bytes, {}, ours);
  if (ours.progress != HttpProgress::kComplete) return 0;

  const std::string_view request = bytes.substr(0, ours.consumed);
  const OracleReading http_parser = ReadWithHttpParser(request);
  if (!HttpParserIsWrongAbout(ours) && !RefusesTabAfterFraming(request, http_parser)) {
    Compare("http_parser", ours, http_parser);
  }
  const OracleReading llhttp = ReadWithLlhttp(request);
  if (!LlhttpRefusesExtension(request, llhttp) && !RefusesTabAfterFraming(request, llhttp)) {
    Compare("llhttp", ours, llhttp);
  }
  if (!BeastIsWrongAbout(request)) Compare("Beast", ours, ReadWithBeast(request));
  return 0;
}

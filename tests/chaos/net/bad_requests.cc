#include "tests/chaos/net/bad_requests.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace relay {

namespace {

using namespace std::string_literals;

constexpr char kKey[] = "demo-key";

std::string Post(const std::string& body, const std::string& headers = "",
                 const std::string& target = "/in/demo") {
  return "POST " + target + " HTTP/1.1\r\nHost: bad\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string PostChunks(const std::string& chunks, const std::string& headers = "") {
  return "POST /in/demo HTTP/1.1\r\nHost: bad\r\n" + headers +
         "Transfer-Encoding: chunked\r\n\r\n" + chunks;
}

std::string Chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

// The body of a callback with another member in front of its own.
std::string With(const std::string& member, const std::string& body) {
  return "{" + member + "," + body.substr(1);
}

std::string Bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
  return bytes;
}

std::string OneOf(Random& random, const std::vector<std::string>& texts) {
  return texts[random.Below(texts.size())];
}

size_t PlaceIn(Random& random, const std::string& text) {
  return static_cast<size_t>(random.Below(text.size()));
}

// ---- The kinds

std::string RandomBytes(BadRequestMaker& make) {
  return Bytes(make.random(), 1 + static_cast<size_t>(make.random().Below(2000)));
}

// A few bytes changed, left out, doubled or put in.
std::string Mutant(BadRequestMaker& make) {
  Random& random = make.random();
  std::string bytes = Post(make.Body(CallbackKind::kForged), "Content-Type: application/json\r\n");
  for (uint64_t left = 1 + random.Below(6); left > 0; --left) {
    const size_t at = PlaceIn(random, bytes);
    switch (random.Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        bytes.erase(at, 1 + static_cast<size_t>(random.Below(8)));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, 1 + static_cast<size_t>(random.Below(40))));
        break;
      default:
        bytes.insert(at, Bytes(random, 1 + static_cast<size_t>(random.Below(8))));
        break;
    }
  }
  return bytes;
}

std::string Truncated(BadRequestMaker& make) {
  const std::string bytes = Post(make.Body());
  return bytes.substr(0, 1 + PlaceIn(make.random(), bytes.substr(1)));
}

std::string LargeHead(BadRequestMaker& make) {
  const auto size = 17'000 + static_cast<size_t>(make.random().Below(20'000));
  return Post(make.Body(), "X-Large: " + std::string(size, 'x') + "\r\n");
}

std::string ManyHeaders(BadRequestMaker& make) {
  std::string headers;
  for (uint64_t left = 70 + make.random().Below(100); left > 0; --left) headers += "X: y\r\n";
  return Post(make.Body(), headers);
}

std::string LongTarget(BadRequestMaker& make) {
  return Post(make.Body(), "", "/in/demo?" + std::string(5000, 'q'));
}

std::string LargeBody(BadRequestMaker& make) {
  const std::string body = make.Body();
  return "POST /in/demo HTTP/1.1\r\nHost: bad\r\nContent-Length: " +
         std::to_string(1024 * 1024 + 1 + make.random().Below(1'000'000'000)) + "\r\n\r\n" + body;
}

std::string LargeChunk(BadRequestMaker& make) {
  return PostChunks("FFFFFFF\r\n" + make.Body());
}

// Two servers that disagree on where the first request ends see a good callback behind it.
std::string LengthAndChunks(BadRequestMaker& make) {
  const std::string hidden = Post(make.Body());
  return PostChunks("0\r\n\r\n" + hidden, "Content-Length: 4\r\n");
}

std::string ChunksAndLength(BadRequestMaker& make) {
  const std::string hidden = Post(make.Body());
  return "POST /in/demo HTTP/1.1\r\nHost: bad\r\nTransfer-Encoding: chunked\r\nContent-Length: " +
         std::to_string(5 + hidden.size()) + "\r\n\r\n0\r\n\r\n" + hidden;
}

std::string TwoLengths(BadRequestMaker& make) {
  const std::string hidden = Post(make.Body());
  return Post(hidden, "Content-Length: 0\r\n");
}

std::string OddLength(BadRequestMaker& make) {
  const std::string body = make.Body();
  const std::string length = OneOf(make.random(), {"+" + std::to_string(body.size()), "-1", "0x10",
                                                   "3, 3", "1e3", "", "99999999999999999999999"});
  return "POST /in/demo HTTP/1.1\r\nHost: bad\r\nContent-Length: " + length + "\r\n\r\n" + body;
}

std::string OddCoding(BadRequestMaker& make) {
  const std::string coding =
      OneOf(make.random(), {"xchunked", "identity", "gzip, chunked", "chunked, chunked"});
  return "POST /in/demo HTTP/1.1\r\nHost: bad\r\nTransfer-Encoding: " + coding + "\r\n\r\n" +
         Chunk(make.Body()) + "0\r\n\r\n";
}

std::string OddHeaderName(BadRequestMaker& make) {
  const std::string line =
      OneOf(make.random(), {"Transfer-Encoding : chunked", "Content_Length: 3", ": nothing",
                            "no colon", "X(y): z", "X: a\r\n folded"});
  return Post(make.Body(), line + "\r\n");
}

std::string BadChunk(BadRequestMaker& make) {
  const std::string size =
      OneOf(make.random(), {"0x3", "+3", " 3", "3 ", "g", "000000003", "FFFFFFFFFFFFFFFFF", ""});
  return PostChunks(size + "\r\nabc\r\n0\r\n\r\n");
}

std::string ChunkWithoutEnd(BadRequestMaker& make) {
  std::string chunk = Chunk(make.Body());
  chunk.replace(chunk.size() - 2, 2, "xx");
  return PostChunks(chunk + "0\r\n\r\n");
}

std::string BareLineFeeds(BadRequestMaker& make) {
  std::string bytes = Post(make.Body());
  bytes.erase(bytes.find('\r'), 1);
  return bytes;
}

std::string NulInHead(BadRequestMaker& make) {
  return Post(make.Body(), "X-Nul: a\0b\r\n"s);
}

std::string Forged(BadRequestMaker& make) {
  return Post(make.Body(CallbackKind::kForged));
}

std::string Expired(BadRequestMaker& make) {
  return Post(make.Body(CallbackKind::kExpired));
}

std::string Unsigned(BadRequestMaker& make) {
  const char* const member = make.random().Below(2) == 0 ? "\"t\"" : "\"sign\"";
  std::string body = make.Body();
  body.replace(body.find(member) + 1, 1, "x");
  return Post(body);
}

std::string WrongPath(BadRequestMaker& make) {
  return Post(make.Body(), "",
              OneOf(make.random(), {"/", "/in/", "/in/other", "/in/demo/", "/in/demo%00",
                                    "/IN/demo", "/in/../in/demo", "//in/demo"}));
}

std::string OtherMethod(BadRequestMaker& make) {
  return OneOf(make.random(), {"GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) +
         Post(make.Body()).substr(4);
}

std::string AbsurdMethod(BadRequestMaker& make) {
  return OneOf(make.random(), {"FROBNICATE", "post", "PRI", std::string(200, 'M'), "!"}) +
         Post(make.Body()).substr(4);
}

std::string NoObject(BadRequestMaker& make) {
  const std::string body = make.Body();
  return Post(OneOf(make.random(), {"", "[" + body + "]", "null", body + "x", body + body,
                                    body.substr(0, body.size() - 1), "\xef\xbb\xbf" + body,
                                    "{'t':1}", With("\"n\":01", body), With("\"n\":NaN", body)}));
}

std::string Deep(BadRequestMaker& make) {
  const auto depth = 65 + static_cast<size_t>(make.random().Below(100'000));
  return Post(With("\"deep\":" + std::string(depth, '[') + std::string(depth, ']'), make.Body()));
}

std::string HugeNumber(BadRequestMaker& make) {
  const auto digits = 20 + static_cast<size_t>(make.random().Below(5000));
  return Post(make.SignedOver(std::string(digits, '9')));
}

std::string FarAhead(BadRequestMaker& make) {
  const int64_t days = 2 + static_cast<int64_t>(make.random().Below(1000));
  return Post(make.SignedOver(std::to_string(SecondsSinceEpoch(make.now()) + days * 86'400)));
}

std::string NoUtf8(BadRequestMaker& make) {
  const std::string text =
      OneOf(make.random(), {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xbd"});
  return Post(With("\"text\":\"" + text + "\"", make.Body()));
}

std::string ControlInText(BadRequestMaker& make) {
  return Post(With("\"text\":\"a\0b\""s, make.Body()));
}

std::string TwiceTheSame(BadRequestMaker& make) {
  return Post(With("\"sign\":\"0\"", make.Body()));
}

std::string OddTypes(BadRequestMaker& make) {
  return Post(OneOf(make.random(), {"{\"t\":true,\"sign\":\"a\"}", "{\"t\":[1],\"sign\":\"a\"}",
                                    "{\"t\":1,\"sign\":1}", "{\"t\":-1,\"sign\":\"a\"}",
                                    "{\"t\":1.5,\"sign\":\"a\"}", "{\"t\":\"\",\"sign\":\"a\"}"}));
}

std::string OtherExpectation(BadRequestMaker& make) {
  return Post(make.Body(), "Expect: the-unexpected\r\n");
}

std::string Http2Preface(BadRequestMaker& make) {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Bytes(make.random(), 30);
}

std::string TlsHello(BadRequestMaker& make) {
  return "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + Bytes(make.random(), 500);
}

std::string OtherVersion(BadRequestMaker& make) {
  std::string bytes = Post(make.Body());
  return bytes.replace(bytes.find("1.1"), 3, OneOf(make.random(), {"1.2", "2.0", "3.0", "0.9"}));
}

std::string NoHostOrTwo(BadRequestMaker& make) {
  std::string bytes = Post(make.Body());
  const std::string line = "Host: bad\r\n";
  return bytes.replace(bytes.find(line), line.size(),
                       OneOf(make.random(), {"", line + line, "Host: a b\r\n", "Host:\r\n"}));
}

struct BadKind {
  std::string_view name;
  int status;
  std::string (*make)(BadRequestMaker& make);
  int share = 1;
};

constexpr BadKind kBadKinds[] = {
    {"random bytes", 0, &RandomBytes, 3},
    {"a mutant", 0, &Mutant, 12},
    {"cut off", 400, &Truncated, 3},
    {"a large head", 431, &LargeHead},
    {"many headers", 431, &ManyHeaders},
    {"a long target", 414, &LongTarget},
    {"a large body", 413, &LargeBody},
    {"a large chunk", 413, &LargeChunk},
    {"length and chunks", 400, &LengthAndChunks},
    {"chunks and length", 400, &ChunksAndLength},
    {"two lengths", 400, &TwoLengths},
    {"an odd length", 400, &OddLength},
    {"an odd transfer coding", 501, &OddCoding},
    {"an odd header name", 400, &OddHeaderName},
    {"a bad chunk size", 400, &BadChunk},
    {"a chunk without its end", 400, &ChunkWithoutEnd},
    {"bare line feeds", 400, &BareLineFeeds},
    {"NUL in the head", 400, &NulInHead},
    {"forged", 403, &Forged, 2},
    {"expired", 403, &Expired},
    {"unsigned", 403, &Unsigned},
    {"a wrong path", 404, &WrongPath},
    {"another method", 405, &OtherMethod},
    {"an absurd method", 0, &AbsurdMethod},
    {"no JSON object", 400, &NoObject, 3},
    {"deep JSON", 400, &Deep},
    {"a huge number", 400, &HugeNumber},
    {"t far ahead", 400, &FarAhead},
    {"no UTF-8", 400, &NoUtf8},
    {"NUL in a text", 400, &ControlInText},
    {"a member twice", 400, &TwiceTheSame},
    {"odd types", 400, &OddTypes},
    {"another expectation", 417, &OtherExpectation},
    {"an HTTP/2 preface", 0, &Http2Preface},
    {"a TLS hello", 400, &TlsHello},
    {"another version", 505, &OtherVersion},
    {"no host or two", 400, &NoHostOrTwo},
};

const BadKind& Pick(Random& random) {
  static const std::vector<const BadKind*> kByShare = [] {
    std::vector<const BadKind*> kinds;
    for (const BadKind& kind : kBadKinds) kinds.insert(kinds.end(), kind.share, &kind);
    return kinds;
  }();
  return *kByShare[random.Below(kByShare.size())];
}

TencentTraffic Traffic(uint64_t seed) {
  TencentTraffic traffic;
  traffic.key = kKey;
  traffic.run = "bad" + std::to_string(seed);
  return traffic;
}

}  // namespace

BadRequestMaker::BadRequestMaker(uint64_t seed) : random_(seed), callbacks_(Traffic(seed)) {}

BadRequest BadRequestMaker::Make(WallTime now) {
  now_ = now;
  const BadKind& kind = Pick(random_);
  return {kind.name, kind.make(*this), kind.status};
}

std::string BadRequestMaker::Body(CallbackKind kind) {
  callbacks_.Make(++made_, kind, now_, &callback_);
  return callback_.body;
}

std::string BadRequestMaker::SignedOver(const std::string& t_digits) {
  return "{\"event_type\":1,\"t\":" + t_digits + ",\"sign\":\"" + signature_.Sign(kKey, t_digits) +
         "\"}";
}

}  // namespace relay

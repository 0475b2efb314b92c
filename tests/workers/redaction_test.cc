#include "workers/formats/redaction.h"

#include <gtest/gtest.h>

#include <vector>

#include "relay/json_object.h"
#include "relay/random.h"

namespace relay {
namespace {

std::string Redacted(std::string_view body, std::vector<std::string> names = {"txSecret"}) {
  std::string out = "untouched";
  return RedactParameters(body, names, out) ? out : out == "untouched" ? "none" : "spoilt";
}

TEST(RedactionTest, AValueIsReplacedAndEveryOtherByteStays) {
  EXPECT_EQ(Redacted(R"({ "stream_param" : "a=1&txSecret=5a3b&txTime=63F5" ,"t":1})"),
            R"({ "stream_param" : "a=1&txSecret=***&txTime=63F5" ,"t":1})");
  EXPECT_EQ(Redacted(R"({"stream_param":"txSecret=5a3b"})"), R"({"stream_param":"txSecret=***"})");
  EXPECT_EQ(Redacted(R"({"stream_param":"txSecret="})"), R"({"stream_param":"txSecret=***"})");
  EXPECT_EQ(Redacted(R"({"fp_user_url":"rtmp://p/live/s?txSecret=5a#x","n":9007199254740993})"),
            R"({"fp_user_url":"rtmp://p/live/s?txSecret=***#x","n":9007199254740993})");
}

TEST(RedactionTest, AllOccurrencesOfAllNamesAreReplaced) {
  EXPECT_EQ(Redacted(R"({"a":"k=1&txSecret=2","b":{"c":["?k=3&z=4"]}})", {"txSecret", "k"}),
            R"({"a":"k=***&txSecret=***","b":{"c":["?k=***&z=4"]}})");
  // One within the other's value, as in a URL that is a parameter itself.
  EXPECT_EQ(Redacted(R"({"a":"url=rtmp://x?k=1&z=2"})", {"k", "url"}), R"({"a":"url=***&z=2"})");
}

TEST(RedactionTest, EscapesOfJsonAreReadAsWhatTheyStandFor) {
  // As Go and Gson write '&' and '='.
  EXPECT_EQ(Redacted(R"({"p":"a=1\u0026txSecret\u003D5a3b\u0026txTime=1"})"),
            R"({"p":"a=1\u0026txSecret\u003D***\u0026txTime=1"})");
  // As PHP writes '/'.
  EXPECT_EQ(Redacted(R"({"p":"token=a\/b==&x=1"})", {"token"}), R"({"p":"token=***&x=1"})");
  EXPECT_EQ(Redacted(R"({"p":"token=a\u4e2d\u0041&x=1"})", {"token"}), R"({"p":"token=***&x=1"})");
  EXPECT_EQ(Redacted(R"({"p":"token=a\nx"})", {"token"}), R"({"p":"token=***\nx"})");
  EXPECT_EQ(Redacted(R"({"p":"x\ntoken=a"})", {"token"}), R"({"p":"x\ntoken=***"})");
}

TEST(RedactionTest, JsonInsideStringsIsReachedAtAnyDepth) {
  EXPECT_EQ(Redacted(R"({"msg":"{\"url\":\"rtmp://x?txSecret=5a\",\"code\":0}"})"),
            R"({"msg":"{\"url\":\"rtmp://x?txSecret=***\",\"code\":0}"})");
  EXPECT_EQ(Redacted(R"({"msg":"{\"url\":\"rtmp:\\\/\\\/x?a=1\\u0026txSecret=5a\\u0026b=2\"}"})"),
            R"({"msg":"{\"url\":\"rtmp:\\\/\\\/x?a=1\\u0026txSecret=***\\u0026b=2\"}"})");
  EXPECT_EQ(Redacted(R"({"a":"{\"b\":\"{\\\"c\\\":\\\"txSecret=5a\\\"}\"}"})"),
            R"({"a":"{\"b\":\"{\\\"c\\\":\\\"txSecret=***\\\"}\"}"})");
}

TEST(RedactionTest, AUrlWithinAUrlIsReached) {
  EXPECT_EQ(Redacted(R"({"p":"url=rtmp%3A%2F%2Fx%3FtxSecret%3D5a%26txTime%3d1&z=2"})"),
            R"({"p":"url=rtmp%3A%2F%2Fx%3FtxSecret%3D***%26txTime%3d1&z=2"})");
  // In a value of its own, what is percent-encoded belongs to it.
  EXPECT_EQ(Redacted("token=a%26b&x=1", {"token"}), "token=***&x=1");
}

TEST(RedactionTest, AnotherNameIsNotTheName) {
  for (const char* body :
       {R"({"p":"mytxSecret=1"})", R"({"p":"my_txSecret=1"})", R"({"p":"txSecrets=1"})",
        R"({"p":"txSecret"})", R"({"txSecret":"5a"})", R"({"p":"\u0061txSecret=1"})",
        R"({"p":"%61txSecret=1"})", R"({"p":"TXSECRET=1"})", "", "{}"}) {
    EXPECT_EQ(Redacted(body), "none") << body;
  }
  EXPECT_EQ(Redacted("txSecret=1", {}), "none");
}

TEST(RedactionTest, ABodyThatIsNoJsonIsAText) {
  EXPECT_EQ(Redacted("a=1&txSecret=5a&b=2"), "a=1&txSecret=***&b=2");
  EXPECT_EQ(Redacted("<url>rtmp://x?txSecret=5a</url>"), "<url>rtmp://x?txSecret=***</url>");
  // Cut anywhere, it is still read within its bounds.
  const std::string body = R"(x%3FtxSecret%3D\\u00)";
  for (size_t size = 0; size <= body.size(); ++size) Redacted(std::string(body, 0, size));
}

// Whatever pieces stand in a string: what was JSON is JSON, and nothing of a value is left.
TEST(RedactionTest, JsonStaysJsonWhateverIsBlanked) {
  const uint64_t seed = Random::FromSystem().Next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  constexpr const char* kPieces[] = {"txSecret=",
                                     "txSecret\\u003d",
                                     "SECRET",
                                     "&",
                                     "\\u0026",
                                     "\\\"",
                                     "\\\\",
                                     "\\/",
                                     "\\n",
                                     "%26",
                                     "%3D",
                                     "\\u4e2d",
                                     "\xe4\xb8\xad",
                                     "a",
                                     "="};
  JsonObject object;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (int piece = 0; piece < 12; ++piece) {
      text += kPieces[random.Below(std::size(kPieces))];
    }
    const std::string body = "{\"p\":\"" + text + "\",\"q\":1}";
    ASSERT_TRUE(object.Parse(body).ok()) << body;
    const std::vector<std::string> names = {"txSecret"};
    std::string out;
    if (!RedactParameters(body, names, out)) continue;
    EXPECT_TRUE(object.Parse(out).ok()) << body << "\n" << out;
    EXPECT_EQ(object.members().size(), 2u) << out;
    for (const char* left : {"&txSecret=SECRET", "\\u0026txSecret=\\/SECRET"}) {
      EXPECT_EQ(out.find(left), std::string::npos) << out;
    }
    std::string again;
    ASSERT_TRUE(RedactParameters(out, names, again));
    EXPECT_EQ(again, out) << body;
  }
}

}  // namespace
}  // namespace relay

#include "relay/json_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

Status Check(std::string_view text) {
  JsonObject object;
  return object.Parse(text);
}

TEST(JsonObjectTest, GivesTheMembersAsSpansOfTheText) {
  const std::string text =
      " { \"n\" : -12.50e+3 ,\"s\":\"a b\" , \"o\":{\"x\":[1,{}]},\"a\": [ ] ,\"y\":true,"
      "\"z\":false,\"u\":null } \r\n";
  JsonObject object;
  ASSERT_TRUE(object.Parse(text).ok()) << object.Parse(text).ToString();
  std::vector<std::string> seen;
  for (const JsonMember& member : object.members()) {
    seen.push_back(std::string(member.key) + "=" + std::string(member.raw) + "/" +
                   std::to_string(static_cast<int>(member.kind)));
    EXPECT_GE(member.raw.data(), text.data());
    EXPECT_LT(member.raw.data(), text.data() + text.size());
    EXPECT_EQ(member.raw_key, "\"" + std::string(member.key) + "\"");
  }
  EXPECT_THAT(seen, testing::ElementsAre("n=-12.50e+3/1", "s=\"a b\"/0", "o={\"x\":[1,{}]}/2",
                                         "a=[ ]/3", "y=true/4", "z=false/5", "u=null/6"));
  EXPECT_EQ(object.Find("x"), nullptr);
  EXPECT_EQ(object.Find("s")->raw, "\"a b\"");
}

TEST(JsonObjectTest, NumbersKeepTheirDigits) {
  JsonObject object;
  ASSERT_TRUE(object.Parse(R"({"sequence":22104645082067569380000001,"t":1703732078})").ok());
  EXPECT_EQ(object.Find("sequence")->raw, "22104645082067569380000001");
  EXPECT_EQ(object.Find("t")->raw, "1703732078");
}

TEST(JsonObjectTest, StringsAreDecodedWhenAskedFor) {
  JsonObject object;
  ASSERT_TRUE(object
                  .Parse(R"({"plain":"\u00e9 is not asked","a":"\"\\\/\b\f\n\r\t",)"
                         R"("u":"\u0041\u00e9\u20AC\ud83d\uDE00\u0000.","e":""})")
                  .ok());
  std::string buffer;
  EXPECT_EQ(object.Find("a")->StringValue(buffer), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(object.Find("u")->StringValue(buffer), "A\u00e9\u20ac\U0001F600\0."s);
  EXPECT_EQ(object.Find("e")->StringValue(buffer), "");
}

TEST(JsonObjectTest, AKeyWrittenWithEscapesIsTheKeyItMeans) {
  JsonObject object;
  ASSERT_TRUE(object.Parse(R"({"\u0074":1,"si\u0067n":"x"})").ok());
  EXPECT_EQ(object.Find("t")->raw, "1");
  EXPECT_EQ(object.Find("t")->raw_key, R"("\u0074")");
  EXPECT_EQ(object.Find("sign")->raw, "\"x\"");
  EXPECT_FALSE(Check(R"({"t":1,"\u0074":2})").ok());
}

TEST(JsonObjectTest, OnlyAnObjectMayStandAtTheTop) {
  for (const char* text : {"[]", "1", "\"a\"", "null", "[{}]", "true"}) {
    EXPECT_THAT(Check(text).text(), testing::HasSubstr("not an object")) << text;
  }
  EXPECT_FALSE(Check("").ok());
  EXPECT_FALSE(Check("  ").ok());
  EXPECT_TRUE(Check("{}").ok());
}

TEST(JsonObjectTest, BrokenGrammarIsRefused) {
  for (const char* text : {"{",
                           "}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{\"a\":1 \"b\":2}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":NaN}",
                           "{\"a\":Infinity}",
                           "{\"a\":tru}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"}",
                           "{\"a\":1}{}",
                           "{\"a\":1}x",
                           "{\"a\":1},",
                           "{/**/}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1}",
                           "{1:2}",
                           "{\"a\":0x1}",
                           "{\"a\":1e}",
                           "{\"a\":-}"}) {
    EXPECT_EQ(Check(text).code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(JsonObjectTest, ANulByteIsNoEnd) {
  EXPECT_FALSE(Check("{\"a\":123}\0"sv).ok());
  EXPECT_FALSE(Check("{\"a\":1}\0x"sv).ok());
  EXPECT_FALSE(Check("{\"a\":\"x\0y\"}"sv).ok());
  EXPECT_FALSE(Check("\0{}"sv).ok());
  EXPECT_FALSE(Check("{}\0\0"sv).ok());
}

TEST(JsonObjectTest, AByteOrderMarkIsRefusedWholeOrCut) {
  EXPECT_FALSE(Check("\xEF\xBB\xBF{}").ok());
  EXPECT_FALSE(Check("\xEF\xBB{}").ok());
  EXPECT_FALSE(Check("\xEF{}").ok());
  EXPECT_FALSE(Check("\xFE\xFF\0{\0}"sv).ok());
}

TEST(JsonObjectTest, InvalidUtf8IsRefusedInKeysAndValues) {
  for (const std::string_view bad :
       {"\x80"sv, "\xC0\x80"sv, "\xC3"sv, "\xE2\x82"sv, "\xED\xA0\x80"sv, "\xF4\x90\x80\x80"sv,
        "\xF8\x88\x80\x80\x80"sv, "\xFF"sv, "\\ud800"sv, "\\udc00"sv, "\\ud800\\ud800"sv,
        "\\udc00\\ud800"sv, "\\ud800x"sv}) {
    const std::string text(bad);
    EXPECT_FALSE(Check("{\"a\":\"" + text + "\"}").ok()) << text;
    EXPECT_FALSE(Check("{\"" + text + "\":1}").ok()) << text;
    EXPECT_FALSE(Check("{\"a\":[{\"b\":\"" + text + "\"}]}").ok()) << text;
  }
  EXPECT_TRUE(Check("{\"a\":\"\u00e9\u20ac\U0001F600\uD7FF\uE000\"}").ok());
}

TEST(JsonObjectTest, AKeyThatOccursTwiceIsRefusedAtEveryLevel) {
  EXPECT_FALSE(Check(R"({"a":1,"a":1})").ok());
  EXPECT_FALSE(Check(R"({"x":{"a":1,"b":2,"a":3}})").ok());
  EXPECT_FALSE(Check(R"({"x":[1,[{"a":1,"a":3}]]})").ok());
  EXPECT_FALSE(Check(R"({"":1,"":2})").ok());
  EXPECT_TRUE(Check(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})").ok());
  // Keys that agree in length, in their first and in their last bytes.
  EXPECT_TRUE(Check(R"({"abcd1wxyz":1,"abcd2wxyz":2})").ok());
}

std::string ManyMembers(int count, const std::string& last) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += "\"key" + std::to_string(i) + "\":0,";
  return text + "\"" + last + "\":0}";
}

TEST(JsonObjectTest, ATwinIsFoundAmongManyMembers) {
  for (const int count : {5, 31, 32, 33, 500}) {
    EXPECT_TRUE(Check(ManyMembers(count, "other")).ok()) << count;
    EXPECT_FALSE(Check(ManyMembers(count, "key0")).ok()) << count;
    EXPECT_FALSE(Check(ManyMembers(count, "key4")).ok()) << count;
    EXPECT_FALSE(Check("{\"in\":" + ManyMembers(count, "key3") + "}").ok()) << count;
  }
}

TEST(JsonObjectTest, MembersOfOneObjectAreBounded) {
  const int most = JsonObject::kMembersMax;
  EXPECT_TRUE(Check(ManyMembers(most - 1, "last")).ok());
  EXPECT_THAT(Check(ManyMembers(most, "last")).text(), testing::HasSubstr("too many members"));
}

TEST(JsonObjectTest, DepthIsBounded) {
  const auto nested = [](size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_TRUE(Check(nested(JsonObject::kDepthMax)).ok());
  EXPECT_THAT(Check(nested(JsonObject::kDepthMax + 1)).text(),
              testing::HasSubstr("nested too deeply"));
  EXPECT_FALSE(Check(std::string(1000000, '[')).ok());
  EXPECT_FALSE(Check("{\"a\":" + std::string(1000000, '{')).ok());
}

TEST(JsonObjectTest, CanBeUsedAgainAfterAFailure) {
  JsonObject object;
  EXPECT_FALSE(object.Parse(R"({"a":{"b":[1,2)").ok());
  EXPECT_TRUE(object.members().empty());
  ASSERT_TRUE(object.Parse(R"({"\u0062":1,"a":2})").ok());
  EXPECT_EQ(object.members().size(), 2u);
  EXPECT_EQ(object.Find("b")->raw, "1");
}

TEST(JsonObjectTest, EveryCutOfATextIsRefused) {
  const std::string text = R"({"a":"x\u00e9","b":[1.5e3,{"c":null}],"d":true})";
  ASSERT_TRUE(Check(text).ok());
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(Check(text.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace relay

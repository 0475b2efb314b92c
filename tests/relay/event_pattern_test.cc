#include "relay/event_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/decimal.h"
#include "relay/json_object.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

bool Matches(const std::string& pattern_text, const std::string& body_text,
             const EventAttributes& attributes = {}) {
  const Result<EventPattern> pattern = EventPattern::Parse(pattern_text);
  EXPECT_TRUE(pattern.ok()) << pattern_text << ": " << pattern.status().text();
  JsonObject body;
  const Status parsed = body.Parse(body_text);
  EXPECT_TRUE(parsed.ok()) << body_text << ": " << parsed.text();
  return pattern->Matches(&body, attributes);
}

std::string PatternComplaint(const std::string& text) {
  const Result<EventPattern> pattern = EventPattern::Parse(text);
  return pattern.ok() ? "no complaint" : pattern.status().text();
}

TEST(EventPattern, NoPatternMatchesEverythingWithoutLookingAtTheBody) {
  const Result<EventPattern> pattern = EventPattern::Parse("");
  ASSERT_TRUE(pattern.ok());
  EXPECT_TRUE(pattern->matches_everything());
  EXPECT_FALSE(pattern->needs_body());
  EXPECT_TRUE(pattern->Matches(nullptr, {}));
}

TEST(EventPattern, OneOfTheListIsEnough) {
  const std::string pattern = R"({"event_type":[0,1,100,200]})";
  EXPECT_TRUE(Matches(pattern, R"({"event_type":100})"));
  EXPECT_TRUE(Matches(pattern, R"({"x":1, "event_type" : 0 })"));
  EXPECT_FALSE(Matches(pattern, R"({"event_type":10})"));
}

TEST(EventPattern, EveryMemberMustMatch) {
  const std::string pattern = R"({"event_type":[1],"stream_id":["a"]})";
  EXPECT_TRUE(Matches(pattern, R"({"stream_id":"a","event_type":1})"));
  EXPECT_FALSE(Matches(pattern, R"({"stream_id":"b","event_type":1})"));
  EXPECT_FALSE(Matches(pattern, R"({"event_type":1})"));
}

TEST(EventPattern, KindsAreNotMixed) {
  EXPECT_FALSE(Matches(R"({"a":[1]})", R"({"a":"1"})"));
  EXPECT_FALSE(Matches(R"({"a":["1"]})", R"({"a":1})"));
  EXPECT_FALSE(Matches(R"({"a":["true"]})", R"({"a":true})"));
  EXPECT_TRUE(Matches(R"({"a":[true]})", R"({"a":true})"));
  EXPECT_FALSE(Matches(R"({"a":[true]})", R"({"a":false})"));
  EXPECT_TRUE(Matches(R"({"a":[null]})", R"({"a":null})"));
  EXPECT_FALSE(Matches(R"({"a":[null]})", R"({})"));
}

TEST(EventPattern, APrefixMatchesTheBeginningOfAString) {
  const std::string pattern = R"({"stream_id":[{"prefix":"8888_"},"main"]})";
  EXPECT_TRUE(Matches(pattern, R"({"stream_id":"8888_live"})"));
  EXPECT_TRUE(Matches(pattern, R"({"stream_id":"8888_"})"));
  EXPECT_TRUE(Matches(pattern, R"({"stream_id":"main"})"));
  EXPECT_FALSE(Matches(pattern, R"({"stream_id":"888"})"));
  EXPECT_FALSE(Matches(pattern, R"({"stream_id":8888})"));
}

TEST(EventPattern, EscapesMeanTheSameOnBothSides) {
  EXPECT_TRUE(Matches(R"({"\u0061":["\u00e9x"]})", "{\"a\":\"\xc3\xa9x\"}"));
  EXPECT_TRUE(Matches("{\"a\":[\"\xc3\xa9x\"]}", R"({"\u0061":"\u00e9x"})"));
  EXPECT_TRUE(Matches(R"({"a":["]},\"\\"]})", R"({"a":"]},\"\\"})"));
}

// Stream and session ids are integers beyond what a double holds.
TEST(EventPattern, NumbersCompareExactlyByValue) {
  EXPECT_TRUE(Matches(R"({"a":[1]})", R"({"a":1.0})"));
  EXPECT_TRUE(Matches(R"({"a":[100]})", R"({"a":1e2})"));
  EXPECT_TRUE(Matches(R"({"a":[0.1]})", R"({"a":10E-2})"));
  EXPECT_TRUE(Matches(R"({"a":[0]})", R"({"a":-0})"));
  EXPECT_TRUE(Matches(R"({"a":[9007199254740993]})", R"({"a":9007199254740993})"));
  EXPECT_FALSE(Matches(R"({"a":[9007199254740993]})", R"({"a":9007199254740992})"));
  EXPECT_FALSE(Matches(R"({"a":[1]})", R"({"a":-1})"));
}

TEST(EventPattern, CanonicalNumbersHaveOneSpelling) {
  EXPECT_EQ(CanonicalNumber("0"), "0");
  EXPECT_EQ(CanonicalNumber("-0.00e7"), "0");
  EXPECT_EQ(CanonicalNumber("120"), "120");
  EXPECT_EQ(CanonicalNumber("1.20e2"), "120");
  EXPECT_EQ(CanonicalNumber("-0.0120"), "-12e-3");
  EXPECT_EQ(CanonicalNumber("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(CanonicalNumber("100000000000000000000"), "1e20");
  EXPECT_EQ(CanonicalNumber("1e+20"), "1e20");
  EXPECT_EQ(CanonicalNumber("1e9999999999999999999"), "");
}

TEST(EventPattern, DecimalsOfAnyLengthHaveAnOrder) {
  const auto compare = [](const char* a, const char* b) {
    return Compare(Decimal::Read(a), Decimal::Read(b));
  };
  const char* ascending[] = {"-1e300",
                             "-10",
                             "-9.99",
                             "-0.01",
                             "-1e-9999999999",
                             "0",
                             "1e-400",
                             "0.01",
                             "0.010000000000000000000001",
                             "1",
                             "9.99",
                             "10",
                             "18446744073709551616",
                             "1e300"};
  for (size_t i = 0; i < std::size(ascending); ++i) {
    for (size_t j = 0; j < std::size(ascending); ++j) {
      const int expected = i < j ? -1 : (i > j ? 1 : 0);
      EXPECT_EQ(compare(ascending[i], ascending[j]), expected)
          << ascending[i] << ' ' << ascending[j];
    }
  }
  EXPECT_EQ(compare("-0.0", "0"), 0);
  EXPECT_EQ(compare("120e-1", "12.00"), 0);
  EXPECT_EQ(Decimal::Read("120e-1").Hash(7), Decimal::Read("12.00").Hash(7));
}

TEST(EventPattern, AttributesDecideWithoutTheBody) {
  const Result<EventPattern> pattern =
      EventPattern::Parse(R"({"$type":[100,"201"],"$source":["live"],"$tenant":[{"prefix":"a"}]})");
  ASSERT_TRUE(pattern.ok()) << pattern.status().text();
  EXPECT_FALSE(pattern->needs_body());
  EXPECT_TRUE(pattern->Matches(nullptr, {.type = "100", .source = "live", .tenant = "acme"}));
  EXPECT_TRUE(pattern->Matches(nullptr, {.type = "201", .source = "live", .tenant = "a"}));
  EXPECT_FALSE(pattern->Matches(nullptr, {.type = "100", .source = "live", .tenant = "b"}));
  EXPECT_FALSE(pattern->Matches(nullptr, {.type = "1", .source = "live", .tenant = "acme"}));
}

TEST(EventPattern, AComplaintNamesTheByteAndWhatWasExpected) {
  EXPECT_EQ(PatternComplaint(R"({"a":1})"),
            "byte 6: expected a list of accepted values, such as [1]");
  EXPECT_EQ(PatternComplaint(R"({"a":[]})"),
            "byte 6: expected at least one value: an empty list matches nothing");
  EXPECT_THAT(PatternComplaint("{}"), StartsWith("byte 1: expected at least one member"));
  EXPECT_EQ(PatternComplaint(R"({"a":[1,[2]]})"),
            "byte 9: expected a value or {\"prefix\": \"...\"}, found a list in a list");
  EXPECT_EQ(PatternComplaint(R"({"$typ":[1]})"),
            "byte 2: expected $type, $source, $tenant or $or, found \"$typ\"");
  EXPECT_THAT(PatternComplaint(R"({"$type":[true]})"), HasSubstr("$type is text"));
  EXPECT_EQ(PatternComplaint(R"({"a":[{"prefix":5}]})"), "byte 17: expected a string");
  EXPECT_EQ(PatternComplaint(R"({"a":[{"perfix":"x"}]})"),
            "byte 8: there is no operator \"perfix\": expected anything-but, cidr, "
            "equals-ignore-case, exists, numeric, prefix, suffix, wildcard");
  EXPECT_THAT(PatternComplaint(R"({"a":[{}]})"), HasSubstr("expected one operator"));
}

TEST(EventPattern, BrokenJsonAndDuplicateMembersAreRefused) {
  for (const char* text : {"{", "[1]", R"({"a":[1],})", R"({"a":[1],"a":[2]})", "{\"a\":[01]}"}) {
    EXPECT_NE(PatternComplaint(text), "no complaint") << text;
  }
  EXPECT_THAT(PatternComplaint("{\"a\":[\"" + std::string(5000, 'x') + "\"]}"),
              HasSubstr("4096 bytes"));
}

TEST(EventPattern, BrokenJsonIsShownWhereItBreaks) {
  EXPECT_THAT(PatternComplaint(R"({"a":[1] "b":[2]})"),
              StartsWith("byte 10: not a JSON object we take"));
}

TEST(EventPattern, MembersBelowMembersAreFoundAtAnyDepth) {
  const std::string pattern = R"({"a":{"b":{"c":["x"]},"d":[1]}})";
  EXPECT_TRUE(Matches(pattern, R"({"a":{"z":{"c":[{}]},"d":1,"b":{"c":"x"}}})"));
  EXPECT_FALSE(Matches(pattern, R"({"a":{"b":{"c":"y"},"d":1}})"));
  EXPECT_FALSE(Matches(pattern, R"({"a":{"c":"x","d":1}})"));
  EXPECT_FALSE(Matches(pattern, R"({"a":"x"})"));
  // A name with a dot in it is one name.
  EXPECT_FALSE(Matches(R"({"a.b":[1]})", R"({"a":{"b":1}})"));
  EXPECT_TRUE(Matches(R"({"a":{"$type":[1]}})", R"({"a":{"$type":1}})"));
}

TEST(EventPattern, EmptyTextsAndNullAreValuesOfTheirOwn) {
  EXPECT_TRUE(Matches(R"({"a":[""]})", R"({"a":""})"));
  EXPECT_FALSE(Matches(R"({"a":[""]})", R"({"a":null})"));
  EXPECT_FALSE(Matches(R"({"a":[null]})", R"({"a":""})"));
  EXPECT_FALSE(Matches(R"({"a":[""]})", R"({"a":[]})"));
}

TEST(EventPattern, ASuffixMatchesTheEndOfAString) {
  EXPECT_TRUE(Matches(R"({"f":[{"suffix":".flv"}]})", R"({"f":"a.flv"})"));
  EXPECT_TRUE(Matches(R"({"f":[{"suffix":".flv"}]})", R"({"f":".flv"})"));
  EXPECT_FALSE(Matches(R"({"f":[{"suffix":".flv"}]})", R"({"f":"flv"})"));
}

TEST(EventPattern, CaseIsIgnoredWhereAsked) {
  EXPECT_TRUE(Matches(R"({"a":[{"equals-ignore-case":"Live"}]})", R"({"a":"lIVE"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"equals-ignore-case":"Live"}]})", R"({"a":"lives"})"));
  const std::string prefix = R"({"a":[{"prefix":{"equals-ignore-case":"EU-"}}]})";
  EXPECT_TRUE(Matches(prefix, R"({"a":"eu-west"})"));
  EXPECT_FALSE(Matches(prefix, R"({"a":"eu"})"));
  const std::string suffix = R"({"a":[{"suffix":{"equals-ignore-case":".flv"}}]})";
  EXPECT_TRUE(Matches(suffix, R"({"a":"x.FLV"})"));
  EXPECT_FALSE(Matches(suffix, R"({"a":"lv"})"));
  // @ and ` differ by the bit that tells a from A.
  EXPECT_FALSE(Matches(R"({"a":[{"equals-ignore-case":"@"}]})", R"({"a":"`"})"));
}

TEST(EventPattern, AWildcardStandsForAnyTextAndAnEscapedStarForItself) {
  const auto matches = [](const std::string& wildcard, const std::string& value) {
    return Matches(R"({"a":[{"wildcard":")" + wildcard + R"("}]})", R"({"a":")" + value + R"("})");
  };
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*c", "ac"));
  EXPECT_TRUE(matches("a*c", "abcc"));
  EXPECT_FALSE(matches("a*a", "a"));
  EXPECT_TRUE(matches("*/lib/*", "usr/lib/x"));
  EXPECT_FALSE(matches("*/lib/*", "usr/lib"));
  EXPECT_TRUE(matches("a*bc*bc", "abcbc"));
  EXPECT_FALSE(matches("a*bc*bc", "abc"));
  EXPECT_TRUE(matches("plain", "plain"));
  EXPECT_TRUE(matches(R"(a\\*b)", "a*b"));
  EXPECT_FALSE(matches(R"(a\\*b)", "axb"));
  EXPECT_TRUE(matches(R"(a\\\\*)", R"(a\\x)"));
  EXPECT_FALSE(Matches(R"({"a":[{"wildcard":"*"}]})", R"({"a":1})"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"wildcard":"a**"}]})"), StartsWith("byte 19: two stars"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"wildcard":"\\a"}]})"), HasSubstr("behind a backslash"));
}

TEST(EventPattern, AnythingButTakesEveryValueButThoseNamed) {
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":"y"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":"x"})"));
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":"1"}]})", R"({"a":1})"));
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":null})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":[1,2]}]})", R"({"a":2.0})"));
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":[1,2]}]})", R"({"a":3})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":{"prefix":["x","y"]}}]})", R"({"a":"yz"})"));
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":{"prefix":"x"}}]})", R"({"a":"yx"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":{"suffix":".m3u8"}}]})", R"({"a":"a.m3u8"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":{"equals-ignore-case":["X"]}}]})", R"({"a":"x"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":{"wildcard":"a*b"}}]})", R"({"a":"ab"})"));
  EXPECT_TRUE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","y"]})"));
  EXPECT_FALSE(Matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":["x","x"]})"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"anything-but":["x",1]}]})"), HasSubstr("strings only"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"anything-but":[]}]})"), HasSubstr("at least one value"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"anything-but":null}]})"),
              HasSubstr("a string or a number"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"anything-but":{"cidr":"::/0"}}]})"),
              HasSubstr("no operator \"cidr\" in \"anything-but\""));
}

TEST(EventPattern, NumericRangesAreExact) {
  const std::string range = R"({"a":[{"numeric":[">",0,"<=",5]}]})";
  EXPECT_TRUE(Matches(range, R"({"a":5.0})"));
  EXPECT_TRUE(Matches(range, R"({"a":1e-300})"));
  EXPECT_FALSE(Matches(range, R"({"a":0})"));
  EXPECT_FALSE(Matches(range, R"({"a":5.000000000000000000000000001})"));
  EXPECT_FALSE(Matches(range, R"({"a":"3"})"));
  EXPECT_TRUE(Matches(R"({"a":[{"numeric":["<",-1.5]}]})", R"({"a":-1.50001})"));
  EXPECT_FALSE(Matches(R"({"a":[{"numeric":["<",-1.5]}]})", R"({"a":-1.5})"));
  EXPECT_TRUE(Matches(R"({"a":[{"numeric":["=",3.018e2]}]})", R"({"a":301.8})"));
  EXPECT_TRUE(
      Matches(R"({"a":[{"numeric":[">",9007199254740992]}]})", R"({"a":9007199254740993})"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"numeric":[">",5,"<",5]}]})"),
              HasSubstr("no number lies"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"numeric":[">",5,">=",6]}]})"),
              HasSubstr("one upper bound"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"numeric":[">"]}]})"), HasSubstr("a number behind"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"numeric":["!=",1]}]})"), HasSubstr("expected \"=\""));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"numeric":[]}]})"), HasSubstr("one or two bounds"));
}

TEST(EventPattern, AddressesMatchTheirBlock) {
  EXPECT_TRUE(Matches(R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.0.255"})"));
  EXPECT_FALSE(Matches(R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"10.0.1.0"})"));
  EXPECT_TRUE(Matches(R"({"ip":[{"cidr":"2001:db8::/32"}]})", R"({"ip":"2001:db8::1"})"));
  EXPECT_FALSE(Matches(R"({"ip":[{"cidr":"2001:db8::/32"}]})", R"({"ip":"10.0.0.1"})"));
  EXPECT_FALSE(Matches(R"({"ip":[{"cidr":"10.0.0.0/24"}]})", R"({"ip":"no address"})"));
  EXPECT_THAT(PatternComplaint(R"({"ip":[{"cidr":"10.0.0.0"}]})"), StartsWith("byte 16: "));
}

TEST(EventPattern, OnlyValuesExist) {
  EXPECT_TRUE(Matches(R"({"a":[{"exists":true}]})", R"({"a":null})"));
  EXPECT_FALSE(Matches(R"({"a":[{"exists":true}]})", R"({"b":1})"));
  EXPECT_TRUE(Matches(R"({"a":[{"exists":false}]})", R"({"b":1})"));
  EXPECT_FALSE(Matches(R"({"a":[{"exists":false}]})", R"({"a":1})"));
  EXPECT_FALSE(Matches(R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})"));
  EXPECT_TRUE(Matches(R"({"a":[{"exists":false}]})", R"({"a":{"b":1}})"));
  EXPECT_TRUE(Matches(R"({"a":[{"exists":false}]})", R"({"a":[]})"));
  EXPECT_TRUE(Matches(R"({"a":{"b":[{"exists":false}]}})", R"({})"));
  EXPECT_TRUE(Matches(R"({"a":[{"exists":false},"x"]})", R"({"a":"x"})"));
  EXPECT_FALSE(Matches(R"({"a":[{"exists":false},"x"]})", R"({"a":"y"})"));
  EXPECT_THAT(PatternComplaint(R"({"a":[{"exists":1}]})"), HasSubstr("true or false"));
  EXPECT_THAT(PatternComplaint(R"({"$type":[{"exists":true}]})"), HasSubstr("always exists"));
}

TEST(EventPattern, OrTakesOneAlternativeBesideItsSiblings) {
  const std::string pattern =
      R"({"s":["live"],"$or":[{"a":[1]},{"b":[2],"$or":[{"c":[3]},{"d":[4]}]}]})";
  EXPECT_TRUE(Matches(pattern, R"({"s":"live","a":1})"));
  EXPECT_TRUE(Matches(pattern, R"({"s":"live","b":2,"d":4})"));
  EXPECT_FALSE(Matches(pattern, R"({"s":"live","b":2})"));
  EXPECT_FALSE(Matches(pattern, R"({"s":"vod","a":1})"));
  EXPECT_TRUE(Matches(R"({"x":{"$or":[{"a":[1]},{"b":[1]}]}})", R"({"x":{"b":1}})"));
  EXPECT_TRUE(Matches(R"({"$or":[{"$type":["7"]},{"a":[1]}]})", R"({})",
                      {.type = "7", .source = "", .tenant = ""}));
  EXPECT_THAT(PatternComplaint(R"({"$or":[{"a":[1]}]})"), HasSubstr("at least two alternatives"));
  EXPECT_THAT(PatternComplaint(R"({"$or":{"a":[1]}})"), HasSubstr("a list of objects"));
  EXPECT_THAT(PatternComplaint(R"({"$or":[1,2]})"), HasSubstr("lists objects"));
}

TEST(EventPattern, AnArrayMatchesByOneOfItsElements) {
  EXPECT_TRUE(Matches(R"({"a":["x"]})", R"({"a":["w","x"]})"));
  EXPECT_TRUE(Matches(R"({"a":["x"]})", R"({"a":[["w"],["x"]]})"));
  EXPECT_FALSE(Matches(R"({"a":["x"]})", R"({"a":[{"a":"x"}]})"));
  EXPECT_TRUE(Matches(R"({"a":{"b":["x"]}})", R"({"a":[1,[{"b":"x"}]]})"));
}

// Otherwise Anna Jones would be found among people of whom none has that name.
TEST(EventPattern, AnObjectOfThePatternIsMatchedByOneElement) {
  const std::string people =
      R"({"p":[{"first":"Anna","last":"Smith"},{"first":"Peter","last":"Jones","age":7}]})";
  EXPECT_TRUE(Matches(R"({"p":{"first":["Anna"],"last":["Smith"]}})", people));
  EXPECT_FALSE(Matches(R"({"p":{"first":["Anna"],"last":["Jones"]}})", people));
  EXPECT_TRUE(Matches(R"({"p":{"first":["Anna"],"age":[{"exists":false}]}})", people));
  EXPECT_FALSE(Matches(R"({"p":{"first":["Peter"],"age":[{"exists":false}]}})", people));
  // One element without it does not make it absent.
  EXPECT_FALSE(Matches(R"({"p":{"age":[{"exists":false}]}})", people));
  EXPECT_TRUE(Matches(R"({"p":{"size":[{"exists":false}]}})", people));
}

TEST(EventPattern, TheExplanationNamesTheClauseThatFailsFirst) {
  const auto explain = [](const std::string& pattern_text, const std::string& body_text) {
    const Result<EventPattern> pattern = EventPattern::Parse(pattern_text);
    JsonObject body;
    EXPECT_TRUE(pattern.ok() && body.Parse(body_text).ok());
    return pattern->Explain(&body, {.type = "100", .source = "s", .tenant = "t"});
  };
  EXPECT_EQ(explain(R"({"a":[1]})", R"({"a":1})"), "");
  EXPECT_EQ(explain(R"({"a":[1],"b":{"c":["x"]}})", R"({"a":1,"b":{"c":"y"}})"),
            R"(b.c is "y", wanted ["x"])");
  EXPECT_EQ(explain(R"({"b":{"c":["x"]}})", "{}"), R"(b.c is absent, wanted ["x"])");
  EXPECT_EQ(explain(R"({"$type":[1]})", "{}"), R"($type is "100", wanted [1])");
  EXPECT_EQ(explain(R"({"b":{"c":["x"]}})", R"({"b":[{"c":1}]})"),
            R"(no one element of b matches {"c":["x"]})");
  EXPECT_EQ(explain(R"({"$or":[{"a":[1]},{"b":[1]}]})", "{}"),
            "none of the 2 alternatives of $or matches; the first: a is absent, wanted [1]");
}

TEST(EventPattern, LimitsAreSaidWhereTheyAreMet) {
  std::string deep = "[1]";
  for (int i = 0; i < 17; ++i) deep = R"({"a":)" + deep + "}";
  EXPECT_THAT(PatternComplaint(deep), HasSubstr("at most 16 objects"));
  std::string many = R"({"a":[0)";
  for (int i = 0; i < 512; ++i) many += ",1";
  EXPECT_THAT(PatternComplaint(many + "]}"), HasSubstr("at most 512 values"));
  std::string stars;
  for (int i = 0; i < 33; ++i) stars += "a*";
  EXPECT_THAT(PatternComplaint(R"({"a":[{"wildcard":")" + stars + R"("}]})"),
              HasSubstr("32 stars"));
}

}  // namespace
}  // namespace relay

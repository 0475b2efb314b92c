#include "relay/pattern_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/json_object.h"
#include "relay/random.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

EventPattern Compile(const std::string& text) {
  Result<EventPattern> pattern = EventPattern::Parse(text);
  EXPECT_TRUE(pattern.ok()) << text << ": " << pattern.status().text();
  return pattern.ok() ? *std::move(pattern) : EventPattern();
}

// Makes patterns and events of few names and values, so that they often meet.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  std::string Pattern() { return Object(0); }
  std::string Event() { return EventObject(0); }

 private:
  std::string OneOf(const std::vector<std::string>& list) {
    return list[random_.Below(list.size())];
  }

  std::string Object(int depth) {
    std::string out;
    for (const char* name : {"a", "b", "c", "long name"}) {
      if (random_.Below(3) != 0) continue;
      const bool nested = depth < 3 && random_.Below(3) == 0;
      Append(out, '"' + std::string(name) + "\":" + (nested ? Object(depth + 1) : Values()));
    }
    if (depth == 0 && random_.Below(5) == 0) Append(out, R"("$type":["1",{"prefix":"2"}])");
    if (depth < 3 && random_.Below(6) == 0) {
      Append(out, "\"$or\":[" + Object(depth + 1) + ',' + Object(depth + 1) + ']');
    }
    if (out.empty()) return "{\"a\":" + Values() + '}';
    return '{' + out + '}';
  }

  std::string Values() {
    std::string out;
    for (uint64_t count = 1 + random_.Below(3); count > 0; --count) Append(out, Filter());
    return '[' + out + ']';
  }

  std::string Filter() {
    if (random_.Below(2) == 0) return Scalar();
    return OneOf({R"({"prefix":"x"})", R"({"prefix":""})", R"({"suffix":"y"})",
                  R"({"prefix":"a prefix that is longer than others"})", R"({"exists":true})",
                  R"({"exists":false})", R"({"exists":false})", R"({"numeric":[">",0,"<",3]})",
                  R"({"numeric":["=",1]})", R"({"anything-but":["x","xy"]})",
                  R"({"anything-but":{"prefix":"x"}})", R"({"wildcard":"x*y"})",
                  R"({"equals-ignore-case":"XY"})", R"({"cidr":"10.0.0.0/8"})"});
  }

  std::string Scalar() {
    return OneOf({"1", "1.0", "2", "-3e1", "true", "false", "null", "\"x\"", "\"xy\"", "\"\"",
                  "\"\\u0078\"", "\"10.1.1.1\"",
                  "\"a prefix that is longer than others, and more\""});
  }

  std::string EventObject(int depth) {
    std::string out;
    for (const char* name : {"a", "b", "c", "long name", "other"}) {
      if (random_.Below(2) == 0) Append(out, '"' + std::string(name) + "\":" + Value(depth));
    }
    return '{' + out + '}';
  }

  std::string Value(int depth) {
    if (depth < 3 && random_.Below(3) == 0) return EventObject(depth + 1);
    if (depth < 3 && random_.Below(4) == 0) {
      std::string out;
      for (uint64_t count = random_.Below(4); count > 0; --count) Append(out, Value(depth + 1));
      return '[' + out + ']';
    }
    return Scalar();
  }

  static void Append(std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ",") + item;
  }

  Random random_;
};

TEST(PatternIndex, AnswersInTheOrderOfThePatterns) {
  std::vector<EventPattern> patterns;
  patterns.push_back(Compile(R"({"a":["x"]})"));
  patterns.push_back(Compile(""));
  patterns.push_back(Compile(R"({"a":["y"]})"));
  patterns.push_back(Compile(R"({"a":[{"prefix":"x"}],"$type":["1"]})"));
  PatternIndex index(std::move(patterns));
  EXPECT_TRUE(index.needs_body());
  JsonObject body;
  ASSERT_TRUE(body.Parse(R"({"a":"x"})").ok());
  std::vector<uint32_t> out;
  index.Match(&body, {.type = "1", .source = "", .tenant = ""}, out);
  EXPECT_THAT(out, ElementsAre(0, 1, 3));
  index.Match(&body, {.type = "2", .source = "", .tenant = ""}, out);
  EXPECT_THAT(out, ElementsAre(0, 1));
}

TEST(PatternIndex, WithoutABodyOnlyAttributesDecide) {
  std::vector<EventPattern> patterns;
  patterns.push_back(Compile(R"({"a":[{"exists":false}]})"));
  patterns.push_back(Compile(R"({"$source":["s"]})"));
  PatternIndex index(std::move(patterns));
  std::vector<uint32_t> out;
  index.Match(nullptr, {.type = "", .source = "s", .tenant = ""}, out);
  EXPECT_THAT(out, ElementsAre(1));
}

TEST(PatternIndex, OfNoPatternsMatchesNothing) {
  PatternIndex index;
  EXPECT_FALSE(index.needs_body());
  std::vector<uint32_t> out = {7};
  index.Match(nullptr, {}, out);
  EXPECT_THAT(out, IsEmpty());
}

TEST(PatternIndex, AnEventOfVeryManyValuesIsMatchedAsOften) {
  std::string text = R"({"a":[0)";
  for (int i = 1; i < 40000; ++i) text += ',' + std::to_string(i);
  text += "]}";
  JsonObject many;
  JsonObject few;
  ASSERT_TRUE(many.Parse(text).ok());
  ASSERT_TRUE(few.Parse(R"({"a":39999})").ok());
  std::vector<EventPattern> patterns;
  patterns.push_back(Compile(R"({"a":[39999]})"));
  PatternIndex index(std::move(patterns));
  std::vector<uint32_t> out;
  for (const JsonObject* body : {&many, &few, &many}) {
    index.Match(body, {}, out);
    EXPECT_THAT(out, ElementsAre(0));
  }
}

// The index may only leave out what cannot match.
TEST(PatternIndex, AnswersAsEachPatternDoesAlone) {
  constexpr uint64_t kSeed = 20240611;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Generator generator(kSeed);
  uint64_t matches = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> texts;
    std::vector<EventPattern> patterns;
    for (int i = 0; i < 150; ++i) {
      texts.push_back(generator.Pattern());
      patterns.push_back(Compile(texts.back()));
    }
    PatternIndex index(patterns);
    for (int i = 0; i < 200; ++i) {
      const std::string event = generator.Event();
      JsonObject body;
      ASSERT_TRUE(body.Parse(event).ok()) << event;
      const EventAttributes attributes{i % 2 == 0 ? "1" : "23", "", ""};
      std::vector<uint32_t> together;
      index.Match(&body, attributes, together);
      std::vector<uint32_t> alone;
      for (uint32_t p = 0; p < patterns.size(); ++p) {
        if (patterns[p].Matches(&body, attributes)) alone.push_back(p);
      }
      ASSERT_EQ(together, alone) << event;
      matches += alone.size();
    }
  }
  EXPECT_GT(matches, 10000u);
}

}  // namespace
}  // namespace relay

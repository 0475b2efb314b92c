#include "cli/pattern_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr EventAttributes kAttributes{"100", "live", "acme"};

TEST(PatternCommand, AMatchIsSaid) {
  const PatternAnswer answer = TestPattern(R"({"a":[1],"$type":[100]})", R"({"a":1})", kAttributes);
  EXPECT_EQ(answer.code, kExitOk);
  EXPECT_EQ(answer.text, "match");
}

TEST(PatternCommand, WhatDoesNotMatchIsNamed) {
  const PatternAnswer answer = TestPattern(R"({"a":{"b":["x"]}})", R"({"a":{"b":1}})", kAttributes);
  EXPECT_EQ(answer.code, kExitCheckFailed);
  EXPECT_EQ(answer.text, R"(no match: a.b is 1, wanted ["x"])");
}

TEST(PatternCommand, ACaretStandsUnderWhatIsWrongWithThePattern) {
  const PatternAnswer answer = TestPattern("{\"\xc3\xa9\":[{\"prefix\":5}]}", "{}", kAttributes);
  EXPECT_EQ(answer.code, kExitUsage);
  EXPECT_EQ(answer.text,
            "pattern: byte 18: expected a string\n"
            "  {\"\xc3\xa9\":[{\"prefix\":5}]}\n"
            "                  ^");
  EXPECT_EQ(TestPattern("{\n\"a\":1}", "{}", kAttributes).text.find('^'), std::string::npos);
}

TEST(PatternCommand, AnEventThatIsNoObjectIsRefused) {
  const PatternAnswer answer = TestPattern(R"({"a":[1]})", "[1]", kAttributes);
  EXPECT_EQ(answer.code, kExitUsage);
  EXPECT_THAT(answer.text, StartsWith("event: not a JSON object we take"));
  EXPECT_THAT(answer.text, HasSubstr("byte"));
}

}  // namespace
}  // namespace relay

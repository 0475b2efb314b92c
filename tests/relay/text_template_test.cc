#include "relay/text_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using testing::HasSubstr;
using Kind = TextTemplate::Kind;

std::string ComplaintOf(std::string_view text) {
  const Result<TextTemplate> parsed = TextTemplate::Parse(text);
  return parsed.ok() ? "no complaint" : parsed.status().text();
}

TEST(TextTemplateTest, ReadsEachKindOfVariable) {
  const Result<TextTemplate> parsed =
      TextTemplate::Parse("v0:{{{timestamp}}}:{header:X-Id}{json:a b}{body}");
  ASSERT_TRUE(parsed.ok()) << parsed.status().text();
  const auto pieces = parsed->pieces();
  ASSERT_EQ(pieces.size(), 6u);
  EXPECT_EQ(pieces[0].text, "v0:{");
  EXPECT_EQ(pieces[1].kind, Kind::kTimestamp);
  EXPECT_EQ(pieces[2].text, "}:");
  EXPECT_EQ(pieces[3].kind, Kind::kHeader);
  EXPECT_EQ(pieces[3].text, "X-Id");
  EXPECT_EQ(pieces[4].kind, Kind::kMember);
  EXPECT_EQ(pieces[4].text, "a b");
  EXPECT_EQ(pieces[5].kind, Kind::kBody);
  EXPECT_TRUE(parsed->Uses(Kind::kBody));
  EXPECT_FALSE(TextTemplate::Parse("body")->Uses(Kind::kBody));
}

TEST(TextTemplateTest, WhatIsNotKnownIsNamed) {
  EXPECT_THAT(ComplaintOf("{Body}"), HasSubstr("unknown variable {Body}; expected {body}"));
  for (const char* text : {"{}", "{header:}", "{header:a b}", "{json:}", "{ body}", "{query:a}"}) {
    EXPECT_THAT(ComplaintOf(text), HasSubstr("unknown variable")) << text;
  }
  for (const char* text : {"{", "}", "{body", "a}b", "{{}"}) {
    EXPECT_THAT(ComplaintOf(text), HasSubstr("lone brace")) << text;
  }
  std::string many;
  for (int i = 0; i < 21; ++i) many += "{body}";
  EXPECT_EQ(ComplaintOf(many), "more than 20 parts");
  EXPECT_EQ(ComplaintOf(many.substr(6)), "no complaint");
}

}  // namespace
}  // namespace relay

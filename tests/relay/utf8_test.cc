#include "relay/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace relay {
namespace {

using std::string_view_literals::operator""sv;

// Each at every place against the steps of eight.
void ExpectAll(bool expected, std::initializer_list<std::string_view> samples) {
  for (const std::string_view sample : samples) {
    for (size_t before = 0; before < 9; ++before) {
      for (const size_t after : {0, 1, 9}) {
        const std::string text =
            std::string(before, 'a') + std::string(sample) + std::string(after, 'b');
        EXPECT_EQ(IsUtf8(text), expected) << before << " " << sample << " " << after;
      }
    }
  }
}

TEST(Utf8Test, TakesTheEdgesOfEveryRange) {
  ExpectAll(true, {"", "\0"sv, "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                   "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"});
}

TEST(Utf8Test, RefusesWhatIsIllFormed) {
  ExpectAll(false, {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF",
                    "\xE0\xA0", "\xE1\x80\x41", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                    "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"});
}

}  // namespace
}  // namespace relay

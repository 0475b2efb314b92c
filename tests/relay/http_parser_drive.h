#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string_view>
#include <vector>

#include "tests/support/parse_http.h"

namespace relay {

inline void PrintTo(const Parsed& parsed, std::ostream* out) {
  *out << "{progress " << static_cast<int>(parsed.progress) << ", consumed " << parsed.consumed
       << ", " << parsed.status << " " << parsed.reason << ", " << parsed.method << " "
       << parsed.path << " ? " << parsed.query << ", " << parsed.headers.size()
       << " headers, body \"" << parsed.body << "\"}";
}

// Parses the bytes whole, byte by byte, and cut in two at every place (in long inputs at every
// 61st); all must agree.
inline Parsed ParseEveryWay(std::string_view bytes, HttpParserLimits limits = {}) {
  const Parsed whole = ParseCut(bytes, {}, limits);
  const size_t step = bytes.size() > 2000 ? 61 : 1;
  std::vector<size_t> every;
  for (size_t cut = step; cut < bytes.size(); cut += step) {
    every.push_back(cut);
    EXPECT_EQ(ParseCut(bytes, {cut}, limits), whole) << "cut at " << cut;
  }
  EXPECT_EQ(ParseCut(bytes, every, limits), whole) << "in pieces of " << step;
  return whole;
}

}  // namespace relay

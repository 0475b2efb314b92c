#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/http_parser.h"

namespace relay {

// What a parser made of some bytes, in values that outlive it.
struct Parsed {
  HttpProgress progress = HttpProgress::kNeedMore;
  size_t consumed = 0;
  int status = 0;
  std::string reason;
  std::string method;
  std::string path;
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keep_alive = false;

  bool operator==(const Parsed&) const = default;
};

// Feeds the bytes as a connection does: pieces end at `cuts` (rising offsets); each time the bytes
// not consumed so far are shown again, at another place in memory, so that a view into a former
// place would be found out by the sanitizer.
inline Parsed ParseCut(std::string_view bytes, const std::vector<size_t>& cuts,
                       HttpParserLimits limits = {}) {
  HttpParser parser(limits);
  Parsed out;
  size_t done = 0;
  std::string held;
  std::vector<size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (size_t end : ends) {
    for (;;) {
      held = std::string(bytes.substr(done, end - done));
      if (held.size() < parser.bytes_wanted()) break;
      out.progress = parser.Feed(held);
      if (out.progress != HttpProgress::kNeedMore) break;
      done += parser.consumed();
      if (parser.consumed() == 0) break;
    }
    if (out.progress != HttpProgress::kNeedMore) break;
  }
  if (out.progress == HttpProgress::kRefused) {
    out.status = parser.refusal().status;
    out.reason = parser.refusal().reason;
  }
  if (out.progress == HttpProgress::kComplete) {
    out.consumed = done + parser.consumed();
    out.method = parser.method();
    out.path = parser.path();
    out.query = parser.query();
    for (const HttpHeader& header : parser.headers()) {
      out.headers.emplace_back(header.name, header.value);
    }
    out.body = parser.body();
    out.keep_alive = parser.keep_alive();
  }
  return out;
}

}  // namespace relay

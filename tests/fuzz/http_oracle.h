#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relay {

// What another parser made of a request that ours accepted. Each of them lives in a file of its
// own, because their headers do not go together.
struct OracleReading {
  // The request was complete with the last byte, and not before it.
  bool complete = false;
  bool complete_early = false;
  std::string error;  // The oracle's word for its refusal; empty when there is none.
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // Values without blanks around them.
  std::string body;
};

OracleReading ReadWithHttpParser(std::string_view bytes);
OracleReading ReadWithLlhttp(std::string_view bytes);
OracleReading ReadWithBeast(std::string_view bytes);

// Collects what a parser that calls back with pieces says. Trailers are left out: ours drops them.
struct OracleCollector {
  OracleReading reading;
  bool in_value = false;
  bool head_done = false;
  bool done = false;

  void OnName(std::string_view piece) {
    if (head_done) return;
    if (in_value || reading.headers.empty()) reading.headers.emplace_back();
    in_value = false;
    reading.headers.back().first += piece;
  }
  void OnValue(std::string_view piece) {
    if (head_done) return;
    in_value = true;
    reading.headers.back().second += piece;
  }
  // Blanks around a value are no part of it (RFC 9112, section 5), but some parsers leave the
  // trailing ones to their user.
  void TrimValues();
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

class JsonObject;

// What a pattern can ask of an event beside the members of its body.
struct EventAttributes {
  std::string_view type;    // $type, e.g. "100"
  std::string_view source;  // $source
  std::string_view tenant;  // $tenant
};

// An endpoint's filter in the EventBridge style: a JSON object whose members name members of the
// event and list what is accepted there. All members must match (AND), each by one of its list
// (OR); a member that the event lacks matches nothing.
//
//   {"event_type": [0, 1], "stream_id": [{"prefix": "8888_"}], "$source": ["demo"]}
//
// This version takes exact strings, numbers, true, false and null, and {"prefix": "..."}, on the
// top-level members of the body and on $type, $source and $tenant. Everything else of the language
// (nested members, "anything-but", "numeric", "exists", "$or", ...) is refused by name, never
// ignored: an endpoint must not get what its owner meant to exclude.
//
// Numbers compare by their decimal value, exactly, however they are spelled: 1, 1.0 and 10e-1 are
// one value, 9007199254740993 and 9007199254740992 are two. An attribute is text; a number in its
// list stands for its digits ("$type": [100] is "$type": ["100"]).
//
// Compiled once, immutable, copyable. Matches() allocates nothing where the body spells its strings
// without escapes.
class EventPattern {
 public:
  // Matches every event.
  EventPattern() = default;

  // An empty text gives the pattern that matches everything. InvalidArgument says at which byte of
  // `text` (from 1) what was expected, or which operator this version does not support.
  static Result<EventPattern> Parse(std::string_view text);

  bool matches_everything() const { return fields_.empty(); }
  // False when attributes alone decide, so that nobody need parse the body; Matches then takes
  // null.
  bool needs_body() const { return needs_body_; }

  // Whether the event with the top-level object `body` matches. Requires: `body` is not null where
  // needs_body().
  bool Matches(const JsonObject* body, const EventAttributes& attributes) const;

 private:
  friend class EventPatternParser;

  enum class Kind { kString, kPrefix, kNumber, kTrue, kFalse, kNull };
  struct Accepted {
    Kind kind;
    std::string text;  // kString, kPrefix: decoded; kNumber: in canonical spelling.
  };
  enum class From { kBody, kType, kSource, kTenant };
  struct Field {
    From from = From::kBody;
    std::string name;  // kBody: the member's name, decoded.
    std::vector<Accepted> any_of;
  };

  static bool TextMatches(const Field& field, std::string_view text);
  static bool BodyMatches(const Field& field, const JsonObject& body);

  std::vector<Field> fields_;
  bool needs_body_ = false;
};

// One spelling for each decimal value: sign, digits without leading or trailing zeros, exponent.
// Integers of up to 20 digits are spelled as such. Empty when the exponent is beyond a billion.
// Requires: `number` is a JSON number.
std::string CanonicalNumber(std::string_view number);

}  // namespace relay

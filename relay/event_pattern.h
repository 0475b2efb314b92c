#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "relay/event_attributes.h"
#include "relay/event_paths.h"
#include "relay/pattern_tree.h"
#include "relay/status.h"

namespace relay {

class EventValues;
class JsonObject;

// An endpoint's filter: the language of Amazon EventBridge's event patterns (docs/patterns.md). A
// JSON object whose members name members of the event, at any depth, and list what is accepted
// there. All members must match (AND), each by one of its list (OR).
//
//   {"event_type": [0, 1], "stream_id": [{"prefix": "8888_"}], "$source": ["demo"]}
//
// It asks the body and, at the top, the attributes $type, $source and $tenant. What it does not
// know is refused by name, never ignored: an endpoint must not get what its owner meant to exclude.
//
// Numbers compare by their decimal value, exactly, however they are spelled: 1, 1.0 and 10e-1 are
// one value, 9007199254740993 and 9007199254740992 are two. An attribute is text; a number in its
// list stands for its digits ("$type": [100] is "$type": ["100"]).
//
// An array in the event matches by one of its elements; an object of the pattern must then find all
// that it asks for in the same element.
//
// Compiled once, immutable, copyable.
class EventPattern {
 public:
  // Matches every event.
  EventPattern() = default;

  // An empty text gives the pattern that matches everything. InvalidArgument says at which byte of
  // `text` (from 1) what was expected.
  static Result<EventPattern> Parse(std::string_view text);

  bool matches_everything() const { return tree_.clauses.empty(); }
  // False when attributes alone decide, so that nobody need parse the body; Matches then takes
  // null.
  bool needs_body() const { return needs_body_; }
  const PatternObject& tree() const { return tree_; }
  // As given to Parse().
  const std::string& text() const { return text_; }

  // Whether the event with the top-level object `body` matches. Allocates nothing once the buffers
  // of this thread have grown. Many patterns are matched faster by a PatternIndex. Requires: `body`
  // is not null where needs_body().
  bool Matches(const JsonObject* body, const EventAttributes& attributes) const;
  // The first clause that fails, for a person: its path, what it wants and what is there. Empty
  // when the event matches. Requires: as for Matches().
  std::string Explain(const JsonObject* body, const EventAttributes& attributes) const;

 private:
  std::string text_;
  EventPaths paths_;
  PatternObject tree_;
  bool needs_body_ = false;
};

}  // namespace relay

#include "relay/event_pattern.h"

#include <algorithm>

#include "relay/check.h"
#include "relay/pattern_explain.h"
#include "relay/pattern_match.h"
#include "relay/pattern_parser.h"

namespace relay {

namespace {

// A buffer of each thread, so that a pattern stays immutable and matching need not allocate.
EventValues& ValuesOfThisThread() {
  thread_local EventValues values;
  return values;
}

}  // namespace

Result<EventPattern> EventPattern::Parse(std::string_view text) {
  EventPattern out;
  if (text.empty()) return out;
  Result<PatternObject> tree = PatternParser(text, out.paths_).Run();
  if (!tree.ok()) return tree.status();
  out.text_ = text;
  out.tree_ = *std::move(tree);
  out.needs_body_ = out.paths_.HasMembers(EventPaths::kBody);
  return out;
}

bool EventPattern::Matches(const JsonObject* body, const EventAttributes& attributes) const {
  RELAY_CHECK(body || !needs_body_);
  if (matches_everything()) return true;
  EventValues& values = ValuesOfThisThread();
  values.Load(paths_, body, attributes);
  return MatchPattern(tree_, values, EventPaths::kBody) != PatternVerdict::kNo;
}

std::string EventPattern::Explain(const JsonObject* body, const EventAttributes& attributes) const {
  if (Matches(body, attributes)) return "";
  return ExplainMismatch(tree_, text_, ValuesOfThisThread());
}

}  // namespace relay

#include "relay/pattern_match.h"

#include <algorithm>

namespace relay {
namespace {

using Verdict = PatternVerdict;

bool AnyTakes(const PatternClause& clause, const EventValues::Value& value) {
  return std::any_of(clause.any_of.begin(), clause.any_of.end(),
                     [&value](const ValueFilter& filter) { return filter.Takes(value); });
}

// An object is no value, and an array stands for those values that are its elements.
Verdict MatchValues(const PatternClause& clause, const EventValues& values, uint32_t value) {
  bool found = false;
  if (value != EventValues::kAbsent) {
    const EventValues::Value& there = values.at(value);
    if (there.is_scalar()) return AnyTakes(clause, there) ? Verdict::kYes : Verdict::kNo;
    if (there.kind == JsonKind::kArray) {
      for (const uint32_t index : values.Elements(value)) {
        const EventValues::Value& element = values.at(index);
        if (!element.is_scalar()) continue;
        if (AnyTakes(clause, element)) return Verdict::kYes;
        found = true;
      }
    }
  }
  const bool takes_none = !found && std::any_of(clause.any_of.begin(), clause.any_of.end(),
                                                [](const ValueFilter& filter) {
                                                  return filter.kind == ValueFilter::Kind::kAbsent;
                                                });
  return takes_none ? Verdict::kByAbsence : Verdict::kNo;
}

Verdict MatchOr(const PatternClause& clause, const EventValues& values, uint32_t value) {
  Verdict best = Verdict::kNo;
  for (const PatternObject& alternative : clause.objects) {
    best = std::max(best, MatchPattern(alternative, values, value));
    if (best == Verdict::kYes) break;
  }
  return best;
}

}  // namespace

PatternVerdict MatchClause(const PatternClause& clause, const EventValues& values,
                           uint32_t object) {
  switch (clause.kind) {
    case PatternClause::Kind::kValues:
      return MatchValues(clause, values, values.Find(object, clause.path));
    case PatternClause::Kind::kObject:
      return MatchPattern(clause.objects.front(), values, values.Find(object, clause.path));
    case PatternClause::Kind::kOr:
      return MatchOr(clause, values, object);
  }
  return Verdict::kNo;
}

PatternVerdict MatchPattern(const PatternObject& pattern, const EventValues& values,
                            uint32_t value) {
  if (value != EventValues::kAbsent && values.at(value).kind == JsonKind::kArray) {
    const std::span<const uint32_t> elements = values.Elements(value);
    bool all = true;
    for (const uint32_t element : elements) {
      const Verdict verdict = MatchPattern(pattern, values, element);
      if (verdict == Verdict::kYes) return verdict;
      all = all && verdict == Verdict::kByAbsence;
    }
    if (!elements.empty()) return all ? Verdict::kByAbsence : Verdict::kNo;
    value = EventValues::kAbsent;
  }
  Verdict verdict = Verdict::kByAbsence;
  for (const PatternClause& clause : pattern.clauses) {
    const Verdict one = MatchClause(clause, values, value);
    if (one == Verdict::kNo) return one;
    verdict = std::max(verdict, one);
  }
  return verdict;
}

}  // namespace relay

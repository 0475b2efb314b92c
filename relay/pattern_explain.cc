#include "relay/pattern_explain.h"

#include "relay/pattern_match.h"

namespace relay {
namespace {

constexpr size_t kQuotedBytesMax = 200;

std::string Cut(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return std::string(text);
  size_t end = kQuotedBytesMax;
  // Not within a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

// What stands there, as the event spells it.
std::string Found(const EventValues& values, uint32_t value) {
  if (value == EventValues::kAbsent) return "is absent";
  if (value <= EventPaths::kTenant) return "is \"" + Cut(values.at(value).raw) + '"';
  return "is " + Cut(values.at(value).raw);
}

class Explainer {
 public:
  Explainer(std::string_view text, const EventValues& values) : text_(text), values_(values) {}

  // Requires: `pattern` does not match `object`, which is no array.
  std::string Object(const PatternObject& pattern, uint32_t object, const std::string& parent) {
    for (const PatternClause& clause : pattern.clauses) {
      if (MatchClause(clause, values_, object) != PatternVerdict::kNo) continue;
      return Clause(clause, object, parent);
    }
    return "";
  }

 private:
  std::string Clause(const PatternClause& clause, uint32_t object, const std::string& parent) {
    const std::string wanted = Cut(text_.substr(clause.begin, clause.length));
    if (clause.kind == PatternClause::Kind::kOr) {
      const std::string where = parent.empty() ? "" : " of " + parent;
      return "none of the " + std::to_string(clause.objects.size()) + " alternatives of $or" +
             where + " matches; the first: " + Object(clause.objects.front(), object, parent);
    }
    const std::string path = parent.empty() ? clause.name : parent + '.' + clause.name;
    const uint32_t value = values_.Find(object, clause.path);
    if (clause.kind == PatternClause::Kind::kValues) {
      return path + ' ' + Found(values_, value) + ", wanted " + wanted;
    }
    if (value != EventValues::kAbsent && values_.at(value).kind == JsonKind::kArray) {
      return "no one element of " + path + " matches " + wanted;
    }
    return Object(clause.objects.front(), value, path);
  }

  const std::string_view text_;
  const EventValues& values_;
};

}  // namespace

std::string ExplainMismatch(const PatternObject& pattern, std::string_view text,
                            const EventValues& values) {
  return Explainer(text, values).Object(pattern, EventPaths::kBody, "");
}

}  // namespace relay

#include <array>
#include <utility>

#include "relay/ascii.h"
#include "relay/json_span.h"
#include "relay/pattern_parser.h"

// The part of PatternParser that reads what a pattern accepts in one place.

namespace relay {

namespace {

using Relation = NumberBound::Relation;

constexpr std::string_view kOperators =
    "anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, wildcard";

bool IsAttribute(const PatternClause& clause) {
  return clause.path != EventPaths::kBody && clause.path <= EventPaths::kTenant;
}

std::string Quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

bool ParseRelation(std::string_view raw, Relation* out) {
  static constexpr std::array<std::pair<std::string_view, Relation>, 5> kRelations = {{
      {"\"=\"", Relation::kEqual},
      {"\"<\"", Relation::kLess},
      {"\"<=\"", Relation::kLessOrEqual},
      {"\">\"", Relation::kGreater},
      {"\">=\"", Relation::kGreaterOrEqual},
  }};
  for (const auto& [text, relation] : kRelations) {
    if (raw != text) continue;
    *out = relation;
    return true;
  }
  return false;
}

bool IsLower(Relation relation) {
  return relation == Relation::kGreater || relation == Relation::kGreaterOrEqual;
}

// Why no number fulfils both, or empty.
std::string Contradiction(const NumberBound& a, const NumberBound& b) {
  if (a.relation == Relation::kEqual || b.relation == Relation::kEqual) {
    return "\"=\" stands alone";
  }
  if (IsLower(a.relation) == IsLower(b.relation)) {
    return "expected one lower and one upper bound";
  }
  const NumberBound& low = IsLower(a.relation) ? a : b;
  const NumberBound& high = IsLower(a.relation) ? b : a;
  const int order = Compare(low.value(), high.value());
  const bool closed =
      low.relation == Relation::kGreaterOrEqual && high.relation == Relation::kLessOrEqual;
  if (order < 0 || (order == 0 && closed)) return "";
  return "no number lies between these bounds";
}

}  // namespace

Status PatternParser::Add(std::string_view raw, ValueFilter filter, Filters& out) {
  if (++filters_ > kPatternFiltersMax) {
    return Wrong(raw, "a pattern lists at most " + std::to_string(kPatternFiltersMax) + " values");
  }
  out.push_back(std::move(filter));
  return Status::Ok();
}

Status PatternParser::ReadFilter(std::string_view raw, const PatternClause& clause, Filters& out) {
  ValueFilter filter;
  switch (JsonKindOf(raw.front())) {
    case JsonKind::kString:
      return ReadText(Kind::kText, raw, out);
    case JsonKind::kNumber:
      return ReadNumber(raw, clause, out);
    case JsonKind::kObject:
      return ReadOperator(raw, clause, out);
    case JsonKind::kArray:
      return Wrong(raw, "expected a value or {\"prefix\": \"...\"}, found a list in a list");
    case JsonKind::kTrue:
      filter.kind = Kind::kTrue;
      break;
    case JsonKind::kFalse:
      filter.kind = Kind::kFalse;
      break;
    case JsonKind::kNull:
      filter.kind = Kind::kNull;
      break;
  }
  if (IsAttribute(clause)) {
    return Wrong(raw, clause.name + " is text: expected a string, a number or an operator");
  }
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadNumber(std::string_view raw, const PatternClause& clause, Filters& out) {
  const std::string canonical = CanonicalNumber(raw);
  if (canonical.empty()) return Wrong(raw, "expected a number within a billion digits");
  ValueFilter filter;
  if (IsAttribute(clause)) {
    filter.text = canonical;
  } else {
    filter.kind = Kind::kNumber;
    filter.bounds.push_back(NumberBound::Read(Relation::kEqual, raw));
  }
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadText(Kind kind, std::string_view raw, Filters& out) {
  if (JsonKindOf(raw.front()) != JsonKind::kString) return Wrong(raw, "expected a string");
  ValueFilter filter;
  filter.kind = kind;
  const std::string_view text = JsonText(raw, buffer_);
  switch (kind) {
    case Kind::kTextIgnoringCase:
    case Kind::kPrefixIgnoringCase:
    case Kind::kSuffixIgnoringCase:
      filter.text = LowerCase(text);
      break;
    case Kind::kWildcard:
      if (Status read = ReadWildcard(raw, text, filter); !read.ok()) return read;
      break;
    default:
      filter.text = text;
      break;
  }
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadWildcard(std::string_view raw, std::string_view text,
                                   ValueFilter& filter) {
  if (text.size() > kWildcardBytesMax) {
    return Wrong(raw, "a wildcard has at most " + std::to_string(kWildcardBytesMax) +
                          " bytes, found " + std::to_string(text.size()));
  }
  filter.pieces.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool last = i + 1 == text.size();
    if (text[i] == '\\') {
      if (last || (text[i + 1] != '*' && text[i + 1] != '\\')) {
        return Wrong(raw, "expected * or \\ behind a backslash in a wildcard");
      }
      filter.pieces.back() += text[++i];
    } else if (text[i] != '*') {
      filter.pieces.back() += text[i];
    } else if (!last && text[i + 1] == '*') {
      return Wrong(raw, "two stars in a row mean no more than one");
    } else if (++stars_ > kPatternStarsMax) {
      return Wrong(raw, "a pattern has at most " + std::to_string(kPatternStarsMax) +
                            " stars in its wildcards");
    } else {
      filter.pieces.emplace_back();
    }
  }
  return Status::Ok();
}

Status PatternParser::ReadOnlyMember(std::string_view raw, std::string_view* key,
                                     std::string_view* value) const {
  size_t members = 0;
  JsonSpanReader reader(raw);
  std::string_view next_key;
  std::string_view next_value;
  while (reader.NextMember(&next_key, &next_value)) {
    if (++members > 1) break;
    *key = next_key;
    *value = next_value;
  }
  if (members == 1) return Status::Ok();
  return Wrong(raw, std::string("expected one operator, such as {\"prefix\": \"...\"}, found ") +
                        (members == 0 ? "none" : "several"));
}

Status PatternParser::ReadOperator(std::string_view raw, const PatternClause& clause,
                                   Filters& out) {
  std::string_view key;
  std::string_view value;
  if (Status read = ReadOnlyMember(raw, &key, &value); !read.ok()) return read;
  const std::string name(JsonText(key, buffer_));
  if (name == "prefix") {
    return ReadTextOperator(Kind::kPrefix, Kind::kPrefixIgnoringCase, value, out);
  }
  if (name == "suffix") {
    return ReadTextOperator(Kind::kSuffix, Kind::kSuffixIgnoringCase, value, out);
  }
  if (name == "equals-ignore-case") return ReadText(Kind::kTextIgnoringCase, value, out);
  if (name == "wildcard") return ReadText(Kind::kWildcard, value, out);
  if (name == "numeric") return ReadNumeric(value, clause, out);
  if (name == "cidr") return ReadBlock(value, out);
  if (name == "exists") return ReadExists(value, clause, out);
  if (name == "anything-but") return ReadAnythingBut(value, clause, out);
  return Wrong(key,
               "there is no operator " + Quoted(name) + ": expected " + std::string(kOperators));
}

Status PatternParser::ReadTextOperator(Kind plain, Kind ignoring_case, std::string_view raw,
                                       Filters& out) {
  if (JsonKindOf(raw.front()) != JsonKind::kObject) return ReadText(plain, raw, out);
  std::string_view key;
  std::string_view value;
  if (Status read = ReadOnlyMember(raw, &key, &value); !read.ok()) return read;
  const std::string_view name = JsonText(key, buffer_);
  if (name != "equals-ignore-case") {
    return Wrong(key, "expected a string or \"equals-ignore-case\", found " + Quoted(name));
  }
  return ReadText(ignoring_case, value, out);
}

Status PatternParser::ReadNumeric(std::string_view raw, const PatternClause& clause, Filters& out) {
  static constexpr char kExpected[] = "expected one or two bounds, such as [\">\", 0, \"<=\", 5]";
  if (IsAttribute(clause)) return Wrong(raw, clause.name + " is text: it has no numeric value");
  if (JsonKindOf(raw.front()) != JsonKind::kArray) return Wrong(raw, kExpected);
  ValueFilter filter;
  filter.kind = Kind::kNumber;
  JsonSpanReader reader(raw);
  std::string_view element;
  while (reader.NextElement(&element)) {
    Relation relation = Relation::kEqual;
    if (!ParseRelation(element, &relation)) {
      return Wrong(element, "expected \"=\", \"<\", \"<=\", \">\" or \">=\"");
    }
    if (!reader.NextElement(&element)) return Wrong(raw, "expected a number behind each relation");
    if (JsonKindOf(element.front()) != JsonKind::kNumber || CanonicalNumber(element).empty()) {
      return Wrong(element, "expected a number");
    }
    filter.bounds.push_back(NumberBound::Read(relation, element));
  }
  if (filter.bounds.empty() || filter.bounds.size() > 2) return Wrong(raw, kExpected);
  if (filter.bounds.size() == 2) {
    const std::string wrong = Contradiction(filter.bounds[0], filter.bounds[1]);
    if (!wrong.empty()) return Wrong(raw, wrong);
  }
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadBlock(std::string_view raw, Filters& out) {
  if (JsonKindOf(raw.front()) != JsonKind::kString) {
    return Wrong(raw, "expected a block of addresses, such as \"10.0.0.0/8\"");
  }
  Result<IpBlock> block = IpBlock::Parse(JsonText(raw, buffer_));
  if (!block.ok()) return Wrong(raw, block.status().text());
  ValueFilter filter;
  filter.kind = Kind::kBlock;
  filter.block = *block;
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadExists(std::string_view raw, const PatternClause& clause, Filters& out) {
  if (raw != "true" && raw != "false") return Wrong(raw, "expected true or false");
  if (IsAttribute(clause)) return Wrong(raw, clause.name + " always exists; it may be \"\"");
  ValueFilter filter;
  filter.kind = raw == "true" ? Kind::kPresent : Kind::kAbsent;
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadAnythingBut(std::string_view raw, const PatternClause& clause,
                                      Filters& out) {
  ValueFilter filter;
  filter.kind = Kind::kAnythingBut;
  switch (JsonKindOf(raw.front())) {
    case JsonKind::kObject:
      if (Status read = ReadExceptionOperator(raw, filter.except); !read.ok()) return read;
      break;
    case JsonKind::kArray: {
      JsonSpanReader reader(raw);
      std::string_view element;
      std::string_view first;
      while (reader.NextElement(&element)) {
        if (first.empty()) first = element;
        if (JsonKindOf(element.front()) != JsonKindOf(first.front())) {
          return Wrong(element, "expected strings only or numbers only");
        }
        if (Status read = ReadException(element, clause, filter.except); !read.ok()) return read;
      }
      if (first.empty()) return Wrong(raw, "expected at least one value");
      break;
    }
    default:
      if (Status read = ReadException(raw, clause, filter.except); !read.ok()) return read;
      break;
  }
  return Add(raw, std::move(filter), out);
}

Status PatternParser::ReadException(std::string_view raw, const PatternClause& clause,
                                    Filters& out) {
  const JsonKind kind = JsonKindOf(raw.front());
  if (kind == JsonKind::kNumber) return ReadNumber(raw, clause, out);
  if (kind == JsonKind::kString) return ReadText(Kind::kText, raw, out);
  return Wrong(raw, "expected a string or a number");
}

Status PatternParser::ReadExceptionOperator(std::string_view raw, Filters& out) {
  std::string_view key;
  std::string_view value;
  if (Status read = ReadOnlyMember(raw, &key, &value); !read.ok()) return read;
  const std::string_view name = JsonText(key, buffer_);
  Kind kind = Kind::kPrefix;
  if (name == "suffix") {
    kind = Kind::kSuffix;
  } else if (name == "equals-ignore-case") {
    kind = Kind::kTextIgnoringCase;
  } else if (name == "wildcard") {
    kind = Kind::kWildcard;
  } else if (name != "prefix") {
    return Wrong(key, "there is no operator " + Quoted(name) +
                          " in \"anything-but\": expected equals-ignore-case, prefix, suffix, "
                          "wildcard");
  }
  if (JsonKindOf(value.front()) != JsonKind::kArray) return ReadText(kind, value, out);
  JsonSpanReader reader(value);
  std::string_view element;
  while (reader.NextElement(&element)) {
    if (Status read = ReadText(kind, element, out); !read.ok()) return read;
  }
  if (out.empty()) return Wrong(value, "expected at least one string");
  return Status::Ok();
}

}  // namespace relay

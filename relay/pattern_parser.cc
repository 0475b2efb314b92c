#include "relay/pattern_parser.h"

#include "relay/json_span.h"

namespace relay {

namespace {

bool IsAttributePath(uint32_t path) {
  return path == EventPaths::kType || path == EventPaths::kSource || path == EventPaths::kTenant;
}

// The number of an attribute by its name, or kNone.
uint32_t AttributeNamed(std::string_view name) {
  if (name == "$type") return EventPaths::kType;
  if (name == "$source") return EventPaths::kSource;
  if (name == "$tenant") return EventPaths::kTenant;
  return EventPaths::kNone;
}

}  // namespace

Status PatternParser::Wrong(std::string_view part, const std::string& what) const {
  return Status::InvalidArgument("byte " + std::to_string(part.data() - text_.data() + 1) + ": " +
                                 what);
}

Result<PatternObject> PatternParser::Run() {
  if (text_.size() > kPatternBytesMax) {
    return Status::InvalidArgument("a pattern has at most " + std::to_string(kPatternBytesMax) +
                                   " bytes, found " + std::to_string(text_.size()));
  }
  JsonObject object;
  if (!object.Parse(text_).ok()) {
    return Wrong(text_.substr(object.complaint_at()),
                 "not a JSON object we take: " + std::string(object.complaint()));
  }
  // Blanks may stand before the bracket.
  const std::string_view raw = text_.substr(text_.find('{'));
  PatternObject out;
  if (object.members().empty()) {
    return Wrong(raw, "expected at least one member; leave the pattern out to match everything");
  }
  if (Status read = ReadObject(raw, EventPaths::kBody, 1, out); !read.ok()) return read;
  return out;
}

Status PatternParser::ReadObject(std::string_view raw, uint32_t parent, int depth,
                                 PatternObject& out) {
  if (depth > kPatternDepthMax) {
    return Wrong(raw, "a pattern nests at most " + std::to_string(kPatternDepthMax) + " objects");
  }
  JsonSpanReader reader(raw);
  std::string_view key;
  std::string_view value;
  while (reader.NextMember(&key, &value)) {
    if (Status read = ReadMember(key, value, parent, depth, out); !read.ok()) return read;
  }
  if (out.clauses.empty()) {
    return Wrong(raw, "expected at least one member: an empty object matches nothing");
  }
  return Status::Ok();
}

Status PatternParser::ReadMember(std::string_view key, std::string_view raw, uint32_t parent,
                                 int depth, PatternObject& out) {
  PatternClause clause;
  clause.name = JsonText(key, buffer_);
  clause.begin = raw.data() - text_.data();
  clause.length = raw.size();
  if (clause.name == "$or") {
    if (Status read = ReadOr(key, raw, parent, depth, clause); !read.ok()) return read;
    out.clauses.push_back(std::move(clause));
    return Status::Ok();
  }
  // Below the top a name is a name, whatever it begins with: only the body has members there.
  if (parent == EventPaths::kBody && clause.name.starts_with('$')) {
    clause.path = AttributeNamed(clause.name);
    if (clause.path == EventPaths::kNone) {
      return Wrong(key, "expected $type, $source, $tenant or $or, found \"" + clause.name + '"');
    }
  } else {
    clause.path = paths_.Intern(parent, clause.name);
  }
  switch (JsonKindOf(raw.front())) {
    case JsonKind::kArray:
      if (Status read = ReadValues(raw, clause); !read.ok()) return read;
      break;
    case JsonKind::kObject:
      if (IsAttributePath(clause.path)) {
        return Wrong(raw, clause.name + " is text: expected a list of accepted values");
      }
      clause.kind = PatternClause::Kind::kObject;
      clause.objects.emplace_back();
      if (Status read = ReadObject(raw, clause.path, depth + 1, clause.objects.back());
          !read.ok()) {
        return read;
      }
      break;
    case JsonKind::kString:
    case JsonKind::kNumber:
    case JsonKind::kTrue:
    case JsonKind::kFalse:
    case JsonKind::kNull:
      return Wrong(raw, "expected a list of accepted values, such as [" + std::string(raw) + "]");
  }
  out.clauses.push_back(std::move(clause));
  return Status::Ok();
}

Status PatternParser::ReadOr(std::string_view key, std::string_view raw, uint32_t parent, int depth,
                             PatternClause& clause) {
  clause.kind = PatternClause::Kind::kOr;
  if (JsonKindOf(raw.front()) != JsonKind::kArray) {
    return Wrong(raw, "expected a list of objects, such as [{...}, {...}]");
  }
  JsonSpanReader reader(raw);
  std::string_view alternative;
  while (reader.NextElement(&alternative)) {
    if (JsonKindOf(alternative.front()) != JsonKind::kObject) {
      return Wrong(alternative, "expected an object: \"$or\" lists objects");
    }
    clause.objects.emplace_back();
    if (Status read = ReadObject(alternative, parent, depth + 1, clause.objects.back());
        !read.ok()) {
      return read;
    }
  }
  if (clause.objects.size() < 2) {
    return Wrong(key, "expected at least two alternatives in \"$or\", found " +
                          std::to_string(clause.objects.size()));
  }
  return Status::Ok();
}

Status PatternParser::ReadValues(std::string_view raw, PatternClause& clause) {
  JsonSpanReader reader(raw);
  std::string_view element;
  while (reader.NextElement(&element)) {
    if (Status read = ReadFilter(element, clause, clause.any_of); !read.ok()) return read;
  }
  if (clause.any_of.empty()) {
    return Wrong(raw, "expected at least one value: an empty list matches nothing");
  }
  return Status::Ok();
}

}  // namespace relay

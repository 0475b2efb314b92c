#include "relay/event_pattern.h"

#include <algorithm>
#include <charconv>

#include "relay/check.h"
#include "relay/json_object.h"

namespace relay {

namespace {

constexpr size_t kTextBytesMax = 4096;
// Literals up to this many characters are spelled in full by CanonicalNumber().
constexpr size_t kPlainDigitsMax = 20;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// An integer that CanonicalNumber() would give back as it is; most numbers of events are.
bool IsPlainInteger(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  return number.size() <= kPlainDigitsMax && (number.front() != '0' || number.size() == 1) &&
         std::all_of(number.begin(), number.end(), IsDigit);
}

bool NumberEquals(std::string_view literal, const std::string& canonical) {
  if (literal == canonical) return true;
  if (IsPlainInteger(literal) && literal != "-0") return false;
  return CanonicalNumber(literal) == canonical;
}

JsonKind KindOf(std::string_view raw) {
  switch (raw.front()) {
    case '"':
      return JsonKind::kString;
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case 't':
      return JsonKind::kTrue;
    case 'f':
      return JsonKind::kFalse;
    case 'n':
      return JsonKind::kNull;
    default:
      return JsonKind::kNumber;
  }
}

// The length of the JSON value at the front of `text`. Requires: a checked JSON text.
size_t ValueLength(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
        if (depth == 0) return i + 1;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth == 0) return i;  // The end of the list around a number or a word.
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || IsBlank(c))) {
      return i;
    }
  }
  return text.size();
}

// The elements of a checked JSON array, as views of it.
std::vector<std::string_view> Elements(std::string_view array) {
  std::vector<std::string_view> out;
  size_t at = 1;
  while (true) {
    while (IsBlank(array[at]) || array[at] == ',') ++at;
    if (array[at] == ']') return out;
    const size_t length = ValueLength(array.substr(at));
    out.push_back(array.substr(at, length));
    at += length;
  }
}

std::string DecodedString(std::string_view raw) {
  JsonMember member;
  member.raw = raw;
  member.kind = JsonKind::kString;
  std::string buffer;
  return std::string(member.StringValue(buffer));
}

// Parts of the EventBridge language that a later version will take.
constexpr std::string_view kLaterOperators[] = {
    "anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "suffix", "wildcard"};

}  // namespace

std::string CanonicalNumber(std::string_view number) {
  constexpr int64_t kExponentMax = 1'000'000'000;
  const bool negative = number.starts_with('-');
  size_t at = negative ? 1 : 0;
  std::string digits;
  int64_t exponent = 0;
  for (; at < number.size() && IsDigit(number[at]); ++at) digits += number[at];
  if (digits.empty()) return "";
  if (at < number.size() && number[at] == '.') {
    for (++at; at < number.size() && IsDigit(number[at]); ++at, --exponent) digits += number[at];
  }
  if (at < number.size() && (number[at] == 'e' || number[at] == 'E')) {
    ++at;
    if (at < number.size() && number[at] == '+') ++at;
    int64_t written = 0;
    const char* end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data() + at, end, written);
    if (error != std::errc() || written > kExponentMax || written < -kExponentMax) return "";
    exponent += written;
    at = rest - number.data();
  }
  if (at != number.size()) return "";

  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return "0";
  const size_t significant = digits.find_last_not_of('0') + 1;
  exponent += static_cast<int64_t>(digits.size() - significant);
  digits.resize(significant);
  if (exponent > 0 && digits.size() + exponent <= kPlainDigitsMax) {
    digits.append(exponent, '0');
    exponent = 0;
  }
  if (exponent != 0) digits += 'e' + std::to_string(exponent);
  return negative ? '-' + digits : digits;
}

// Turns the text of a pattern into fields. JsonObject has checked the whole grammar first, so what
// is looked at here is valid JSON.
class EventPatternParser {
 public:
  explicit EventPatternParser(std::string_view text) : text_(text) {}

  Result<EventPattern> Run() {
    if (text_.size() > kTextBytesMax) {
      return Status::InvalidArgument("a pattern has at most " + std::to_string(kTextBytesMax) +
                                     " bytes, found " + std::to_string(text_.size()));
    }
    JsonObject object;
    if (Status parsed = object.Parse(text_); !parsed.ok()) return parsed;
    if (object.members().empty()) {
      return Wrong(text_,
                   "expected at least one member; leave the pattern out to match everything");
    }
    for (const JsonMember& member : object.members()) {
      if (Status read = ReadMember(member); !read.ok()) return read;
    }
    return std::move(out_);
  }

 private:
  using Pattern = EventPattern;

  // A complaint about `part`, which is a view of the text.
  Status Wrong(std::string_view part, const std::string& what) const {
    return Status::InvalidArgument("byte " + std::to_string(part.data() - text_.data() + 1) + ": " +
                                   what);
  }

  Status ReadMember(const JsonMember& member) {
    Pattern::Field field;
    field.name = member.key;
    if (member.key == "$type") {
      field.from = Pattern::From::kType;
    } else if (member.key == "$source") {
      field.from = Pattern::From::kSource;
    } else if (member.key == "$tenant") {
      field.from = Pattern::From::kTenant;
    } else if (member.key == "$or") {
      return Wrong(member.raw_key, "\"$or\" is not supported yet");
    } else if (member.key.starts_with('$')) {
      return Wrong(member.raw_key,
                   "expected $type, $source or $tenant, found \"" + std::string(member.key) + '"');
    }
    if (member.kind == JsonKind::kObject) {
      return Wrong(member.raw, "members of members are not supported yet");
    }
    if (member.kind != JsonKind::kArray) {
      return Wrong(member.raw,
                   "expected a list of accepted values, such as [" + std::string(member.raw) + "]");
    }
    for (std::string_view element : Elements(member.raw)) {
      if (Status read = ReadElement(element, field); !read.ok()) return read;
    }
    if (field.any_of.empty()) {
      return Wrong(member.raw, "expected at least one value: an empty list matches nothing");
    }
    out_.needs_body_ = out_.needs_body_ || field.from == Pattern::From::kBody;
    out_.fields_.push_back(std::move(field));
    return Status::Ok();
  }

  Status ReadElement(std::string_view raw, Pattern::Field& field) {
    const bool attribute = field.from != Pattern::From::kBody;
    const auto accept = [&field](Pattern::Kind kind, std::string text = "") {
      field.any_of.push_back({kind, std::move(text)});
      return Status::Ok();
    };
    switch (KindOf(raw)) {
      case JsonKind::kString:
        return accept(Pattern::Kind::kString, DecodedString(raw));
      case JsonKind::kNumber: {
        std::string number = CanonicalNumber(raw);
        if (number.empty()) return Wrong(raw, "expected a number within a billion digits");
        return accept(attribute ? Pattern::Kind::kString : Pattern::Kind::kNumber,
                      std::move(number));
      }
      case JsonKind::kObject:
        return ReadOperator(raw, field);
      case JsonKind::kArray:
        return Wrong(raw, "expected a value or {\"prefix\": \"...\"}, found a list in a list");
      case JsonKind::kTrue:
      case JsonKind::kFalse:
      case JsonKind::kNull:
        break;
    }
    if (attribute) return Wrong(raw, field.name + " is text: expected a string or a prefix");
    if (raw == "true") return accept(Pattern::Kind::kTrue);
    return accept(raw == "false" ? Pattern::Kind::kFalse : Pattern::Kind::kNull);
  }

  Status ReadOperator(std::string_view raw, Pattern::Field& field) {
    JsonObject object;
    if (Status parsed = object.Parse(raw); !parsed.ok()) return parsed;
    if (object.members().size() != 1) {
      return Wrong(raw, "expected one operator, such as {\"prefix\": \"...\"}, found " +
                            std::to_string(object.members().size()));
    }
    const JsonMember& member = object.members().front();
    const std::string name(member.key);
    if (name != "prefix") {
      const bool later = std::find(std::begin(kLaterOperators), std::end(kLaterOperators), name) !=
                         std::end(kLaterOperators);
      return Wrong(member.raw_key, later
                                       ? "the operator \"" + name + "\" is not supported yet"
                                       : "expected the operator \"prefix\", found \"" + name + '"');
    }
    if (member.kind == JsonKind::kObject) {
      return Wrong(member.raw, "operators inside \"prefix\" are not supported yet");
    }
    if (member.kind != JsonKind::kString) return Wrong(member.raw, "expected a string");
    field.any_of.push_back({Pattern::Kind::kPrefix, DecodedString(member.raw)});
    return Status::Ok();
  }

  std::string_view text_;
  EventPattern out_;
};

Result<EventPattern> EventPattern::Parse(std::string_view text) {
  if (text.empty()) return EventPattern();
  return EventPatternParser(text).Run();
}

bool EventPattern::TextMatches(const Field& field, std::string_view text) {
  return std::any_of(field.any_of.begin(), field.any_of.end(), [text](const Accepted& accepted) {
    return accepted.kind == Kind::kPrefix ? text.starts_with(accepted.text)
                                          : accepted.kind == Kind::kString && text == accepted.text;
  });
}

bool EventPattern::BodyMatches(const Field& field, const JsonObject& body) {
  const JsonMember* member = body.Find(field.name);
  if (!member) return false;
  const auto has = [&field](Kind kind) {
    return std::any_of(field.any_of.begin(), field.any_of.end(),
                       [kind](const Accepted& accepted) { return accepted.kind == kind; });
  };
  switch (member->kind) {
    case JsonKind::kString: {
      std::string buffer;
      return TextMatches(field, member->StringValue(buffer));
    }
    case JsonKind::kNumber:
      return std::any_of(
          field.any_of.begin(), field.any_of.end(), [member](const Accepted& accepted) {
            return accepted.kind == Kind::kNumber && NumberEquals(member->raw, accepted.text);
          });
    case JsonKind::kTrue:
      return has(Kind::kTrue);
    case JsonKind::kFalse:
      return has(Kind::kFalse);
    case JsonKind::kNull:
      return has(Kind::kNull);
    case JsonKind::kObject:
    case JsonKind::kArray:
      return false;
  }
  return false;
}

bool EventPattern::Matches(const JsonObject* body, const EventAttributes& attributes) const {
  RELAY_CHECK(body || !needs_body_);
  for (const Field& field : fields_) {
    bool matches = false;
    switch (field.from) {
      case From::kBody:
        matches = BodyMatches(field, *body);
        break;
      case From::kType:
        matches = TextMatches(field, attributes.type);
        break;
      case From::kSource:
        matches = TextMatches(field, attributes.source);
        break;
      case From::kTenant:
        matches = TextMatches(field, attributes.tenant);
        break;
    }
    if (!matches) return false;
  }
  return true;
}

}  // namespace relay

#include "relay/json_span.h"

namespace relay {
namespace {

// The index behind the string that begins at `at`.
size_t StringEnd(std::string_view text, size_t at) {
  for (++at;; ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
}

// The index behind the object or array that begins at `at`.
size_t ContainerEnd(std::string_view text, size_t at) {
  for (int depth = 0;;) {
    const char c = text[at];
    if (c == '"') {
      at = StringEnd(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at;
    }
  }
}

}  // namespace

JsonKind JsonKindOf(char first) {
  switch (first) {
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

std::string_view JsonText(std::string_view raw, std::string& buffer) {
  JsonMember member;
  member.raw = raw;
  member.kind = JsonKind::kString;
  return member.StringValue(buffer);
}

bool JsonSpanReader::SkipToToken() {
  while (IsBetweenTokens(text_[at_])) ++at_;
  return text_[at_] != ']' && text_[at_] != '}';
}

std::string_view JsonSpanReader::TakeValue() {
  const size_t begin = at_;
  const char first = text_[begin];
  if (first == '"') {
    at_ = StringEnd(text_, begin);
  } else if (first == '{' || first == '[') {
    at_ = ContainerEnd(text_, begin);
  } else {
    while (!IsBetweenTokens(text_[at_]) && text_[at_] != ']' && text_[at_] != '}') ++at_;
  }
  return text_.substr(begin, at_ - begin);
}

bool JsonSpanReader::NextElement(std::string_view* value) {
  if (!SkipToToken()) return false;
  *value = TakeValue();
  return true;
}

bool JsonSpanReader::NextMember(std::string_view* key, std::string_view* value) {
  if (!NextElement(key)) return false;
  SkipToToken();
  *value = TakeValue();
  return true;
}

}  // namespace relay

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "relay/json_object.h"

// Properties of the strict JSON reader, for every input, with RapidJSON's document parser beside it
// (recursion, where ours runs its iterative reader):
//
//   1. What ours accepts is an object for the document parser too, with the same members in the
//      same order, of the same kinds and with the same strings.
//   2. The spans of keys and values stand in the text, in order, and a value's span parses to that
//      value. This is what lets a member be replaced in place.
//   3. An object of the document parser that breaks none of our own rules is accepted.

namespace relay {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag;

[[noreturn]] void Fail(const char* claim, std::string_view detail) {
  std::fprintf(stderr, "broken: %s: %.*s\n", claim, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

bool ParseDocument(std::string_view bytes, Document* out) {
  // The document parser takes a NUL for the end of its input.
  if (bytes.find('\0') != std::string_view::npos) return false;
  rapidjson::MemoryStream stream(bytes.data(), bytes.size());
  out->ParseStream<kFlags, rapidjson::UTF8<>>(stream);
  return !out->HasParseError();
}

JsonKind KindOf(const Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return JsonKind::kNull;
    case rapidjson::kFalseType:
      return JsonKind::kFalse;
    case rapidjson::kTrueType:
      return JsonKind::kTrue;
    case rapidjson::kObjectType:
      return JsonKind::kObject;
    case rapidjson::kArrayType:
      return JsonKind::kArray;
    case rapidjson::kStringType:
      return JsonKind::kString;
    case rapidjson::kNumberType:
      return JsonKind::kNumber;
  }
  return JsonKind::kNull;
}

std::string_view Text(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

// Whether our rules beyond the grammar hold: one value a key, and not too deep.
bool KeepsOurRules(const Value& value, int depth) {
  if (!value.IsObject() && !value.IsArray()) return true;
  if (depth > JsonObject::kDepthMax) return false;
  if (value.IsArray()) {
    for (const Value& element : value.GetArray()) {
      if (!KeepsOurRules(element, depth + 1)) return false;
    }
    return true;
  }
  std::set<std::string_view> keys;
  for (const auto& member : value.GetObject()) {
    if (!keys.insert(Text(member.name)).second) return false;
    if (!KeepsOurRules(member.value, depth + 1)) return false;
  }
  return keys.size() <= JsonObject::kMembersMax;
}

void CheckMember(std::string_view text, const JsonMember& member, const Value::Member& theirs,
                 size_t* at) {
  if (member.key != Text(theirs.name)) Fail("key", member.key);
  if (member.kind != KindOf(theirs.value)) Fail("kind", member.key);
  for (std::string_view span : {member.raw_key, member.raw}) {
    if (span.data() < text.data() + *at || span.empty() ||
        span.data() + span.size() > text.data() + text.size()) {
      Fail("the spans stand in the text in order", member.key);
    }
    *at = static_cast<size_t>(span.data() - text.data()) + span.size();
  }
  Document alone;
  if (!ParseDocument(member.raw, &alone) || alone != theirs.value) Fail("value", member.raw);
  if (member.kind == JsonKind::kString) {
    std::string buffer;
    if (member.StringValue(buffer) != Text(theirs.value)) Fail("string", member.raw);
  }
}

void Check(JsonObject& object, std::string_view text) {
  const bool accepted = object.Parse(text).ok();
  Document document;
  const bool theirs = ParseDocument(text, &document) && document.IsObject();
  if (!accepted) {
    // RapidJSON takes a lone low surrogate that is written as an escape; no UTF-8 text can hold it.
    const bool surrogate =
        text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
    // It skips a byte order mark too.
    const bool marked = text.starts_with("\xEF\xBB\xBF");
    if (theirs && !surrogate && !marked && KeepsOurRules(document, 1)) Fail("refused", text);
    return;
  }
  if (!theirs) Fail("accepted", text);
  if (!KeepsOurRules(document, 1)) Fail("accepted against our rules", text);
  if (object.members().size() != document.MemberCount()) Fail("number of members", text);
  size_t at = 0;
  size_t i = 0;
  for (const JsonMember& member : object.members()) {
    CheckMember(text, member, document.MemberBegin()[static_cast<ptrdiff_t>(i++)], &at);
    if (object.Find(member.key) == nullptr) Fail("a member is found", member.key);
  }
}

}  // namespace
}  // namespace relay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // One object for all inputs, as in the broker: nothing of one text may show in the next.
  static relay::JsonObject object;
  const std::string text(reinterpret_cast<const char*>(data), size);
  relay::Check(object, text);
  return 0;
}

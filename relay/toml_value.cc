#include "relay/toml_value.h"

#include <algorithm>
#include <utility>

// The one file that sees toml++, which is large and slow to compile.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace relay {

namespace {

TomlValue FromNode(const toml::node& node) {
  using Kind = TomlValue::Kind;
  TomlValue out;
  out.line = static_cast<int>(node.source().begin.line);
  if (const auto* table = node.as_table()) {
    out.kind = Kind::kTable;
    out.items.reserve(table->size());
    out.keys.reserve(table->size());
    for (const auto& [key, value] : *table) out.Add(std::string(key.str()), FromNode(value));
  } else if (const auto* array = node.as_array()) {
    out.kind = Kind::kArray;
    out.items.reserve(array->size());
    for (const toml::node& item : *array) out.items.push_back(FromNode(item));
  } else if (const auto* text = node.as_string()) {
    out.kind = Kind::kString;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = Kind::kInteger;
    out.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    out.kind = Kind::kReal;
    out.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = Kind::kBool;
    out.boolean = boolean->get();
  } else {
    out.kind = Kind::kTime;
  }
  return out;
}

}  // namespace

TomlValue* TomlValue::Find(std::string_view key) {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &items[found - keys.begin()];
}

const TomlValue* TomlValue::Find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &items[found - keys.begin()];
}

TomlValue& TomlValue::Add(std::string key, TomlValue value) {
  keys.push_back(std::move(key));
  return items.emplace_back(std::move(value));
}

std::string_view TomlValue::KindName() const {
  switch (kind) {
    case Kind::kString:
    case Kind::kVariable:
      return "a string";
    case Kind::kInteger:
      return "an integer";
    case Kind::kReal:
      return "a number with a fraction";
    case Kind::kBool:
      return "true or false";
    case Kind::kTime:
      return "a date or time";
    case Kind::kArray:
      return "a list";
    case Kind::kTable:
      return "a table";
  }
  return "";
}

std::string TomlValue::Shown() const {
  constexpr size_t kTextMax = 60;
  switch (kind) {
    case Kind::kString:
    case Kind::kVariable:
      return '"' + (text.size() > kTextMax ? text.substr(0, kTextMax) + "..." : text) + '"';
    case Kind::kInteger:
      return std::to_string(integer);
    case Kind::kReal:
      return std::to_string(real);
    case Kind::kBool:
      return boolean ? "true" : "false";
    default:
      return std::string(KindName());
  }
}

Result<TomlValue> ParseToml(const std::string& text, const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (parsed) return FromNode(parsed.table());
  const toml::parse_error& error = parsed.error();
  return Status::InvalidArgument(name + ":" + std::to_string(error.source().begin.line) + ": " +
                                 std::string(error.description()));
}

}  // namespace relay

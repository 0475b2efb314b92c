#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

// One value of a TOML file and the line where it stands. kVariable is the text of an environment
// variable that stands in for a value; its type is what its reader asks for.
struct TomlValue {
  enum class Kind { kString, kInteger, kReal, kBool, kTime, kArray, kTable, kVariable };

  Kind kind = Kind::kTable;
  int line = 0;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;               // kString, kVariable
  std::vector<TomlValue> items;   // kArray, kTable
  std::vector<std::string> keys;  // kTable: the key of each item

  // The value under a table's key, or null.
  TomlValue* Find(std::string_view key);
  const TomlValue* Find(std::string_view key) const;
  // Adds a key to a table. Requires: it is not there.
  TomlValue& Add(std::string key, TomlValue value);
  // "an integer", for complaints.
  std::string_view KindName() const;
  // The value itself, at most about 60 bytes of it.
  std::string Shown() const;
};

// The file as a table, or its syntax error as "name:line: ...".
Result<TomlValue> ParseToml(const std::string& text, const std::string& name);

}  // namespace relay

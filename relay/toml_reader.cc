#include "relay/toml_reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

#include "relay/units.h"

namespace relay {

namespace {

bool IsText(const TomlValue& value) {
  return value.kind == TomlValue::Kind::kString || value.kind == TomlValue::Kind::kVariable;
}

// The value as an integer: written as one, or the digits of a variable.
bool IsInteger(const TomlValue& value, int64_t* out) {
  if (value.kind == TomlValue::Kind::kInteger) {
    *out = value.integer;
    return true;
  }
  if (value.kind != TomlValue::Kind::kVariable) return false;
  const char* end = value.text.data() + value.text.size();
  const auto [rest, error] = std::from_chars(value.text.data(), end, *out);
  return error == std::errc() && rest == end;
}

bool IsReal(const TomlValue& value, double* out) {
  int64_t integer = 0;
  if (IsInteger(value, &integer)) {
    *out = static_cast<double>(integer);
    return true;
  }
  if (value.kind == TomlValue::Kind::kReal) {
    *out = value.real;
    return true;
  }
  if (value.kind != TomlValue::Kind::kVariable) return false;
  const char* end = value.text.data() + value.text.size();
  const auto [rest, error] = std::from_chars(value.text.data(), end, *out);
  return error == std::errc() && rest == end;
}

std::vector<TomlValue> SplitAtCommas(const TomlValue& variable) {
  std::vector<TomlValue> out;
  std::string_view rest = variable.text;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    TomlValue item;
    item.kind = TomlValue::Kind::kVariable;
    item.text = rest.substr(0, comma);
    out.push_back(std::move(item));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return out;
}

std::string IntegerRange(int64_t min, int64_t max) {
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string DurationRange(Millis min, Millis max) {
  return "a duration from " + FormatDuration(min) + " to " + FormatDuration(max) +
         " such as \"15s\"";
}

bool IsDuration(const TomlValue& value, Millis min, Millis max, Millis* out) {
  int64_t number = -1;
  const bool zero = IsInteger(value, &number) && number == 0;  // The one that needs no unit.
  if (!zero && !IsText(value)) return false;
  const Result<Millis> parsed = zero ? Millis(0) : ParseDuration(value.text);
  if (!parsed.ok() || *parsed < min || *parsed > max) return false;
  *out = *parsed;
  return true;
}

}  // namespace

void TomlComplaints::Add(int line, std::string_view key, std::string_view what) {
  std::string text = file_ + ":" + std::to_string(line) + ": ";
  if (!key.empty()) text.append(key).append(": ");
  complaints_.emplace_back(line, text.append(what));
}

void TomlComplaints::AddVariable(std::string_view variable, std::string_view what) {
  complaints_.emplace_back(std::numeric_limits<int>::max(),
                           "environment: " + std::string(variable).append(": ").append(what));
}

Status TomlComplaints::ToStatus() const {
  if (complaints_.empty()) return Status::Ok();
  auto sorted = complaints_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (size_t i = 0; i < sorted.size() && i < kShownMax; ++i) {
    if (i > 0) text += '\n';
    text += sorted[i].second;
  }
  if (sorted.size() > kShownMax) {
    text += "\nand " + std::to_string(sorted.size() - kShownMax) + " more";
  }
  return Status::InvalidArgument(std::move(text));
}

const TomlValue* TomlTable::Find(std::string_view key) const {
  return table_.Find(key);
}

const TomlValue* TomlTable::Ask(std::string_view key) {
  asked_.push_back(key);
  return Find(key);
}

std::string TomlTable::Path() const {
  std::string path = parent_ ? parent_->Path() : std::string();
  if (!path.empty() && !name_.empty()) path += '.';
  path += name_;
  if (!label_.empty()) path.append("[").append(label_).append("]");
  return path;
}

void TomlTable::Complain(std::string_view key, std::string_view what) const {
  const TomlValue* value = key.empty() ? nullptr : Find(key);
  std::string path = Path();
  if (!key.empty()) path.append(path.empty() ? "" : ".").append(key);
  if (value && value->kind == TomlValue::Kind::kVariable) {
    std::string variable = "RELAY_" + path;
    for (char& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
    complaints_.AddVariable(variable, what);
    return;
  }
  complaints_.Add(value ? value->line : table_.line, path, what);
}

void TomlTable::Expected(std::string_view key, std::string_view what, const TomlValue& found,
                         bool show_value) const {
  Complain(key, "expected " + std::string(what) + ", found " +
                    (show_value ? found.Shown() : std::string(found.KindName())));
}

void TomlTable::Require(std::string_view key) {
  if (!Find(key)) Complain("", "lacks the key \"" + std::string(key) + "\"");
}

void TomlTable::RefuseUnknown() {
  for (const std::string& name : table_.keys) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    std::string known;
    for (std::string_view key : asked_) known.append(known.empty() ? "" : ", ").append(key);
    Complain(name, "unknown key; known here: " + known);
  }
}

void TomlTable::Read(std::string_view key, std::string& out, size_t size_max) {
  const TomlValue* value = Ask(key);
  if (!value) return;
  if (!IsText(*value)) return Expected(key, "a string", *value, false);
  if (value->text.size() > size_max) {
    return Complain(key, "longer than " + std::to_string(size_max) + " bytes");
  }
  out = value->text;
}

void TomlTable::Read(std::string_view key, bool& out) {
  const TomlValue* value = Ask(key);
  if (!value) return;
  if (value->kind == TomlValue::Kind::kBool) {
    out = value->boolean;
  } else if (value->kind == TomlValue::Kind::kVariable &&
             (value->text == "true" || value->text == "false")) {
    out = value->text == "true";
  } else {
    Expected(key, "true or false", *value, true);
  }
}

void TomlTable::Read(std::string_view key, double min, double max, double& out) {
  const TomlValue* value = Ask(key);
  if (!value) return;
  double real = 0;
  // A NaN is in no range.
  if (!IsReal(*value, &real) || !(real >= min && real <= max)) {
    char text[80];
    std::snprintf(text, sizeof(text), "a number from %g to %g", min, max);
    return Expected(key, text, *value, true);
  }
  out = real;
}

bool TomlTable::ReadInteger(std::string_view key, int64_t min, int64_t max, int64_t& out) {
  const TomlValue* value = Ask(key);
  if (!value) return false;
  if (!IsInteger(*value, &out) || out < min || out > max) {
    Expected(key, IntegerRange(min, max), *value, true);
    return false;
  }
  return true;
}

void TomlTable::Read(std::string_view key, Millis min, Millis max, Millis& out) {
  const TomlValue* value = Ask(key);
  if (value && !IsDuration(*value, min, max, &out)) {
    Expected(key, DurationRange(min, max), *value, true);
  }
}

void TomlTable::ReadBytes(std::string_view key, int64_t min, int64_t max, int64_t& out) {
  const TomlValue* value = Ask(key);
  if (!value) return;
  int64_t bytes = -1;
  if (!IsInteger(*value, &bytes) && IsText(*value)) {
    const Result<int64_t> parsed = ParseBytes(value->text);
    if (parsed.ok()) bytes = *parsed;
  }
  if (bytes < min || bytes > max) {
    return Expected(
        key, "a size from " + FormatBytes(min) + " to " + FormatBytes(max) + " such as \"64KiB\"",
        *value, true);
  }
  out = bytes;
}

bool TomlTable::ReadList(std::string_view key, size_t count_max, std::string_view of,
                         std::vector<TomlValue>& out) {
  const TomlValue* value = Ask(key);
  if (!value) return false;
  if (value->kind == TomlValue::Kind::kVariable) {
    out = SplitAtCommas(*value);
  } else if (value->kind == TomlValue::Kind::kArray) {
    out = value->items;
  } else {
    Expected(key, "a list of " + std::string(of), *value, false);
    return false;
  }
  if (out.size() > count_max) {
    Complain(key, "at most " + std::to_string(count_max) + " entries, found " +
                      std::to_string(out.size()));
    return false;
  }
  return true;
}

void TomlTable::Read(std::string_view key, size_t count_max, std::vector<std::string>& out) {
  std::vector<TomlValue> items;
  if (!ReadList(key, count_max, "strings", items)) return;
  out.clear();
  for (TomlValue& item : items) {
    if (!IsText(item)) return Expected(key, "a list of strings", item, false);
    out.push_back(std::move(item.text));
  }
}

void TomlTable::Read(std::string_view key, size_t count_max, int64_t min, int64_t max,
                     std::vector<int>& out) {
  std::vector<TomlValue> items;
  if (!ReadList(key, count_max, "integers", items)) return;
  out.clear();
  for (const TomlValue& item : items) {
    int64_t integer = 0;
    if (!IsInteger(item, &integer) || integer < min || integer > max) {
      return Expected(key, "a list with every entry " + IntegerRange(min, max), item, true);
    }
    out.push_back(static_cast<int>(integer));
  }
}

void TomlTable::Read(std::string_view key, size_t count_max, Millis min, Millis max,
                     std::vector<Millis>& out) {
  std::vector<TomlValue> items;
  if (!ReadList(key, count_max, "durations", items)) return;
  out.clear();
  for (const TomlValue& item : items) {
    Millis duration{};
    if (!IsDuration(item, min, max, &duration)) {
      return Expected(key, "a list with every entry " + DurationRange(min, max), item, true);
    }
    out.push_back(duration);
  }
}

int TomlTable::ReadWordIndex(std::string_view key, const std::vector<std::string_view>& words) {
  const TomlValue* value = Ask(key);
  if (!value) return -1;
  std::string expected;
  for (size_t i = 0; i < words.size(); ++i) {
    if (IsText(*value) && value->text == words[i]) return static_cast<int>(i);
    expected.append(i == 0 ? "\"" : " or \"").append(words[i]).append("\"");
  }
  Expected(key, expected, *value, true);
  return -1;
}

const TomlValue* TomlTable::ReadTable(std::string_view key) {
  const TomlValue* value = Ask(key);
  if (!value || value->kind == TomlValue::Kind::kTable) return value;
  Expected(key, "a table", *value, false);
  return nullptr;
}

const std::vector<TomlValue>& TomlTable::ReadTables(std::string_view key) {
  static const std::vector<TomlValue> kNone;
  const TomlValue* value = Ask(key);
  if (!value) return kNone;
  const auto is_table = [](const TomlValue& item) { return item.kind == TomlValue::Kind::kTable; };
  if (value->kind != TomlValue::Kind::kArray ||
      !std::all_of(value->items.begin(), value->items.end(), is_table)) {
    Expected(key, "[[" + Path() + (Path().empty() ? "" : ".") + std::string(key) + "]] tables",
             *value, false);
    return kNone;
  }
  return value->items;
}

}  // namespace relay

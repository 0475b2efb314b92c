#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/clock.h"
#include "relay/status.h"
#include "relay/toml_value.h"

namespace relay {

// What is wrong with one file, all of it, so that its owner mends it in one go.
class TomlComplaints {
 public:
  static constexpr size_t kShownMax = 100;

  explicit TomlComplaints(std::string file) : file_(std::move(file)) {}

  void Add(int line, std::string_view key, std::string_view what);
  // For values that came from the environment instead.
  void AddVariable(std::string_view variable, std::string_view what);
  bool none() const { return complaints_.empty(); }
  // OK, or InvalidArgument with a line "file:line: key: what" a complaint, in the file's order.
  Status ToStatus() const;

 private:
  std::string file_;
  std::vector<std::pair<int, std::string>> complaints_;
};

// Reads the keys of one table. Each Read leaves `out` alone, its default, where the key is absent
// or wrong; what is wrong becomes a complaint that says what was expected and what was found. A key
// that was never asked for is unknown, and RefuseUnknown() says so: what is misspelt must not be
// ignored. Complaints never show what was read as plain text: it may be a secret.
//
// The value, the complaints and the parent outlive it.
class TomlTable {
 public:
  TomlTable(const TomlValue& table, TomlComplaints& complaints)
      : TomlTable(table, "", complaints) {}
  // The table under `name` of `parent`.
  TomlTable(const TomlValue& table, std::string_view name, const TomlTable& parent)
      : TomlTable(table, name, parent.complaints_, &parent) {}

  void Read(std::string_view key, std::string& out, size_t size_max = 4096);
  void Read(std::string_view key, bool& out);
  void Read(std::string_view key, double min, double max, double& out);
  template <std::integral Int>
  void Read(std::string_view key, int64_t min, int64_t max, Int& out) {
    int64_t value = 0;
    if (ReadInteger(key, min, max, value)) out = static_cast<Int>(value);
  }
  void Read(std::string_view key, Millis min, Millis max, Millis& out);
  // A size: "64KiB" or a number of bytes.
  void ReadBytes(std::string_view key, int64_t min, int64_t max, int64_t& out);
  void Read(std::string_view key, size_t count_max, std::vector<std::string>& out);
  void Read(std::string_view key, size_t count_max, int64_t min, int64_t max,
            std::vector<int>& out);
  void Read(std::string_view key, size_t count_max, Millis min, Millis max,
            std::vector<Millis>& out);
  // One of a few words.
  template <typename T>
  void ReadWord(std::string_view key, std::span<const std::pair<std::string_view, T>> words,
                T& out) {
    std::vector<std::string_view> names;
    for (const auto& word : words) names.push_back(word.first);
    const int index = ReadWordIndex(key, names);
    if (index >= 0) out = words[index].second;
  }
  template <typename T>
  void ReadWord(std::string_view key, std::initializer_list<std::pair<std::string_view, T>> words,
                T& out) {
    ReadWord(key, std::span(words.begin(), words.size()), out);
  }
  // The sub-table, or null when there is none (or something else, which is a complaint).
  const TomlValue* ReadTable(std::string_view key);
  // The tables of an array of tables.
  const std::vector<TomlValue>& ReadTables(std::string_view key);

  bool has(std::string_view key) const { return Find(key) != nullptr; }
  const TomlValue* Find(std::string_view key) const;
  // Complains when `key` is absent.
  void Require(std::string_view key);
  void RefuseUnknown();
  // Complains about a key of this table, or about the table itself when `key` is empty.
  void Complain(std::string_view key, std::string_view what) const;
  // What this table is called in complaints from now on: tenant becomes tenant[acme].
  void set_label(std::string_view label) { label_ = label; }
  std::string Path() const;

 private:
  TomlTable(const TomlValue& table, std::string_view name, TomlComplaints& complaints,
            const TomlTable* parent = nullptr)
      : table_(table), name_(name), complaints_(complaints), parent_(parent) {}

  // The value under `key`, which is known from now on.
  const TomlValue* Ask(std::string_view key);
  bool ReadInteger(std::string_view key, int64_t min, int64_t max, int64_t& out);
  int ReadWordIndex(std::string_view key, const std::vector<std::string_view>& words);
  // The items of a list; false when there is none, or when it was refused.
  bool ReadList(std::string_view key, size_t count_max, std::string_view of,
                std::vector<TomlValue>& out);
  void Expected(std::string_view key, std::string_view what, const TomlValue& found,
                bool show_value) const;

  const TomlValue& table_;
  std::string_view name_;
  std::string_view label_;
  TomlComplaints& complaints_;
  const TomlTable* parent_;
  std::vector<std::string_view> asked_;
};

}  // namespace relay

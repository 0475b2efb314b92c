#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/decimal.h"
#include "relay/event_attributes.h"
#include "relay/event_paths.h"
#include "relay/json_object.h"

namespace relay {

// What an event holds at the paths that patterns ask for, taken in one scan; everything else is
// skipped. A table of values, in which objects and arrays refer to what they hold.
//
// Arrays are flat: an element that is an array counts as its elements, and an object that nobody
// asks anything of is left out.
//
// Meant to be reused: after a few events Load() allocates nothing, but for an event of more than
// 16,384 values. What it holds is bounded by the size of the body.
class EventValues {
 public:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  struct Value {
    JsonKind kind = JsonKind::kNull;
    uint32_t path = 0;   // Of an element: that of its array.
    uint32_t first = 0;  // kObject, kArray: of what it holds.
    uint32_t count = 0;
    std::string_view raw;   // As written; of an attribute, the text.
    std::string_view text;  // kString: decoded.
    Decimal number;         // kNumber.

    bool is_scalar() const { return kind != JsonKind::kObject && kind != JsonKind::kArray; }
  };
  // A member of an object.
  struct Member {
    uint32_t path = 0;
    uint32_t value = 0;
  };

  // `paths`, the text of `body` and the attributes must outlive the use of the values. Without a
  // body it has no members.
  void Load(const EventPaths& paths, const JsonObject* body, const EventAttributes& attributes);

  // All numbers of values are below it.
  uint32_t size() const { return static_cast<uint32_t>(values_.size()); }
  // The body and the attributes stand at the numbers of their paths.
  const Value& at(uint32_t value) const { return values_[value]; }
  // What `object` holds at `path`, one level below, or an attribute; kAbsent when there is none.
  // kAbsent and what is no object hold nothing.
  uint32_t Find(uint32_t object, uint32_t path) const;
  // Of an object, by path.
  std::span<const Member> Members(uint32_t object) const;
  // Of an array.
  std::span<const uint32_t> Elements(uint32_t array) const;

 private:
  void SetText(uint32_t value, std::string_view text);
  uint32_t Add(uint32_t path, JsonKind kind, std::string_view raw);
  void AddMember(uint32_t path, std::string_view key, JsonKind kind, std::string_view raw);
  void ScanObject(uint32_t value, uint32_t path, std::string_view raw);
  void ScanArray(uint32_t path, std::string_view raw);
  void CloseObject(uint32_t value, size_t mark);
  std::string_view Decoded(std::string_view raw);

  const EventPaths* paths_ = nullptr;
  size_t body_bytes_ = 0;
  std::vector<Value> values_;
  std::vector<Member> members_;     // Of the objects that are closed, each object's by path.
  std::vector<uint32_t> elements_;  // Of the arrays that are closed.
  std::vector<Member> open_;        // Of the objects and arrays that are being scanned.
  std::string decoded_;             // Strings that were written with escapes; never reallocates.
  std::string buffer_;
};

}  // namespace relay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay {

// The places of an event that patterns ask for, each known by a small number, as a tree below the
// body: so that many patterns share one scan of an event, and find a value there by number.
class EventPaths {
 public:
  // What is there from the beginning.
  static constexpr uint32_t kBody = 0;
  static constexpr uint32_t kType = 1;
  static constexpr uint32_t kSource = 2;
  static constexpr uint32_t kTenant = 3;
  static constexpr uint32_t kNone = UINT32_MAX;

  EventPaths();

  // The number of the member `name` of `parent`, the same for each call.
  uint32_t Intern(uint32_t parent, std::string_view name);
  // kNone when nobody asks for it.
  uint32_t Find(uint32_t parent, std::string_view name) const;
  // Whether anybody asks for something below.
  bool HasMembers(uint32_t path) const { return paths_[path].has_members; }
  // All numbers are below it.
  size_t size() const { return paths_.size(); }

 private:
  struct Path {
    uint32_t parent = kNone;
    bool has_members = false;
    uint64_t hash = 0;
    std::string name;
  };

  // Where in `table_` it stands, or would.
  size_t Slot(uint64_t hash, uint32_t parent, std::string_view name) const;
  void Grow();

  std::vector<Path> paths_;
  // Open addressing, a power of two, at most half full; 0 is a free place, as nobody looks for the
  // body.
  std::vector<uint32_t> table_;
};

}  // namespace relay

#include "relay/event_paths.h"

#include "relay/quick_hash.h"

namespace relay {

namespace {
constexpr size_t kTableSizeMin = 8;
}  // namespace

EventPaths::EventPaths() : paths_(kTenant + 1), table_(kTableSizeMin, 0) {}

size_t EventPaths::Slot(uint64_t hash, uint32_t parent, std::string_view name) const {
  const size_t mask = table_.size() - 1;
  size_t slot = hash & mask;
  while (table_[slot] != 0) {
    const Path& path = paths_[table_[slot]];
    if (path.hash == hash && path.parent == parent && path.name == name) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

uint32_t EventPaths::Find(uint32_t parent, std::string_view name) const {
  const uint32_t path = table_[Slot(QuickHash(name, parent), parent, name)];
  return path == 0 ? kNone : path;
}

uint32_t EventPaths::Intern(uint32_t parent, std::string_view name) {
  const uint64_t hash = QuickHash(name, parent);
  uint32_t& place = table_[Slot(hash, parent, name)];
  if (place != 0) return place;
  const auto path = static_cast<uint32_t>(paths_.size());
  place = path;
  paths_.push_back({parent, false, hash, std::string(name)});
  paths_[parent].has_members = true;
  if (paths_.size() * 2 > table_.size()) Grow();
  return path;
}

void EventPaths::Grow() {
  table_.assign(table_.size() * 2, 0);
  for (uint32_t path = kTenant + 1; path < paths_.size(); ++path) {
    table_[Slot(paths_[path].hash, paths_[path].parent, paths_[path].name)] = path;
  }
}

}  // namespace relay

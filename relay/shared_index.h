#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace relay {

// A hash map in shards that its copies share: a copy costs a pointer a shard, and a change copies
// the one shard that it touches, if another map has it too. So a snapshot of 100,000 entries that
// differs from the last one in a few costs little to make and to drop.
//
// A key may occur more than once; Find() gives one of its values. Keys and values are copied
// around: views and pointers, of which whoever holds the map keeps alive what they point to.
// The copies of a map belong to one thread.
template <typename Key, typename Value>
class SharedIndex {
 public:
  // Null when there is none; valid until the map changes.
  const Value* Find(Key key) const {
    const size_t hash = Hash(key);
    const Shard* shard = shards_[ShardOf(hash)].get();
    if (shard == nullptr) return nullptr;
    for (auto at = LowerBound(*shard, hash); at != shard->end() && at->hash == hash; ++at) {
      if (at->key == key) return &at->value;
    }
    return nullptr;
  }

  void Insert(Key key, Value value) {
    const size_t hash = Hash(key);
    Shard& shard = OwnShard(hash);
    shard.insert(LowerBound(shard, hash), Entry{hash, key, value});
  }

  // Forgets one entry of `key` that has this value, if there is one.
  void Erase(Key key, const Value& value) {
    const size_t hash = Hash(key);
    Shard& shard = OwnShard(hash);
    for (auto at = LowerBound(shard, hash); at != shard.end() && at->hash == hash; ++at) {
      if (at->key != key || at->value != value) continue;
      shard.erase(at);
      return;
    }
  }

 private:
  static constexpr int kShardBits = 10;

  struct Entry {
    size_t hash;
    Key key;
    Value value;
  };
  // Sorted by hash: flat, so that copying one is copying a few kilobytes.
  using Shard = std::vector<Entry>;

  static size_t Hash(Key key) {
    // std::hash leaves numbers as they are; the shard is taken from the high bits.
    return std::hash<Key>()(key) * 0x9E3779B97F4A7C15u;
  }
  static size_t ShardOf(size_t hash) { return hash >> (8 * sizeof(size_t) - kShardBits); }

  template <typename AnyShard>
  static auto LowerBound(AnyShard& shard, size_t hash) {
    return std::lower_bound(shard.begin(), shard.end(), hash,
                            [](const Entry& entry, size_t wanted) { return entry.hash < wanted; });
  }

  Shard& OwnShard(size_t hash) {
    std::shared_ptr<Shard>& shard = shards_[ShardOf(hash)];
    if (!shard) {
      shard = std::make_shared<Shard>();
    } else if (shard.use_count() > 1) {
      shard = std::make_shared<Shard>(*shard);
    }
    return *shard;
  }

  // Shared by all copies that agree on it; null: empty.
  std::array<std::shared_ptr<Shard>, size_t{1} << kShardBits> shards_;
};

}  // namespace relay

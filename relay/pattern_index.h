#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "relay/event_paths.h"
#include "relay/event_pattern.h"
#include "relay/event_values.h"

namespace relay {

// Many patterns side by side, e.g. those of a tenant's endpoints: one scan of an event for all of
// them, and only those are tried that can match. For each pattern its rarest exact or prefix clause
// is chosen, and a hash table leads from its values to it; a pattern without such a clause is
// always tried. A clause at the top level that several patterns spell alike is judged once an
// event. So the cost of an event grows with what comes near to matching it, not with what there is.
//
// The answer is the same as that of trying each pattern by itself.
//
// Immutable once built but for its buffers: loop thread only.
class PatternIndex {
 public:
  // Of no patterns.
  PatternIndex() : PatternIndex(std::vector<EventPattern>()) {}
  explicit PatternIndex(std::vector<EventPattern> patterns);

  size_t size() const { return patterns_.size(); }
  // False when attributes alone decide, so that nobody need parse the body.
  bool needs_body() const { return paths_.HasMembers(EventPaths::kBody); }

  // Sets `out` to the patterns that match, by their place in the list given, in ascending order.
  // Without a body (it is no object) those that ask for members of it do not match, whatever they
  // ask. Allocates nothing once its buffers have grown.
  void Match(const JsonObject* body, const EventAttributes& attributes, std::vector<uint32_t>& out);

 private:
  // A value that a pattern cannot match without, as a hash of its path, kind and text. Two values
  // may share a hash: then a pattern is tried in vain.
  struct Key {
    uint64_t hash = 0;
    uint32_t path = 0;
    size_t prefix_bytes = 0;  // 0: not a prefix.
  };
  // One of `keys` must be there.
  struct Anchor {
    std::vector<Key> keys;
    uint64_t cost = 0;  // How many patterns share them.
  };
  // What is looked up for a value at a path.
  struct Lookup {
    bool exact = false;
    std::vector<size_t> prefix_bytes;
  };
  using Uses = std::unordered_map<uint64_t, uint64_t>;
  struct Pattern {
    uint32_t first = 0;  // Of its clauses in `clauses_of_`.
    uint32_t count = 0;
    bool needs_body = false;
  };
  enum class Judged : uint8_t { kNotYet, kMatches, kFails };

  static bool KeyOf(const ValueFilter& filter, uint32_t path, Key* out);
  static bool KeysOf(const PatternClause& clause, std::vector<Key>* out);
  static void CountUses(const PatternObject& pattern, Uses& uses);
  static bool ChooseAnchor(const PatternObject& pattern, const Uses& uses, Anchor* out);
  static bool ChooseAnchor(const PatternClause& clause, const Uses& uses, Anchor* out);
  void Rebind(PatternObject& pattern, uint32_t parent);
  void AddAnchor(const Anchor& anchor, uint32_t pattern);
  void MarkCandidates(uint64_t hash);
  void LookUp(const EventValues::Value& value);
  bool Matches(const Pattern& pattern);

  EventPaths paths_;
  std::vector<PatternClause> clauses_;  // At the top level, each of them once.
  std::vector<uint32_t> clauses_of_;    // Of the patterns, one after the other.
  std::vector<Pattern> patterns_;
  std::vector<uint64_t> always_;  // A bit a pattern.
  std::unordered_map<uint64_t, std::vector<uint32_t>> anchored_;
  std::vector<Lookup> lookups_;  // By path.

  // Buffers of Match().
  EventValues values_;
  std::vector<uint64_t> candidates_;  // A bit a pattern: sorted, and each of them once.
  std::vector<Judged> judged_;        // By clause; kNotYet between events.
  std::vector<uint32_t> to_forget_;   // Which of them are something else.
};

}  // namespace relay

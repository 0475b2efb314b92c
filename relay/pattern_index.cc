#include "relay/pattern_index.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "relay/pattern_match.h"
#include "relay/quick_hash.h"

namespace relay {

namespace {

constexpr size_t kWordBits = 64;
// A longer prefix leads to its pattern by its beginning, so that a value is looked up at most this
// often.
constexpr size_t kPrefixBytesMax = 24;

uint64_t Seed(uint32_t path, ValueFilter::Kind kind) {
  return static_cast<uint64_t>(path) << 8 | static_cast<uint64_t>(kind);
}

}  // namespace

PatternIndex::PatternIndex(std::vector<EventPattern> patterns)
    : always_((patterns.size() + kWordBits - 1) / kWordBits) {
  Uses uses;
  std::vector<PatternObject> trees;
  trees.reserve(patterns.size());
  for (const EventPattern& pattern : patterns) {
    trees.push_back(pattern.tree());
    Rebind(trees.back(), EventPaths::kBody);
    CountUses(trees.back(), uses);
  }
  lookups_.resize(paths_.size());
  std::unordered_map<std::string, uint32_t> known;
  for (uint32_t i = 0; i < trees.size(); ++i) {
    Anchor anchor;
    if (ChooseAnchor(trees[i], uses, &anchor)) {
      AddAnchor(anchor, i);
    } else {
      always_[i / kWordBits] |= uint64_t{1} << i % kWordBits;
    }
    patterns_.push_back({static_cast<uint32_t>(clauses_of_.size()),
                         static_cast<uint32_t>(trees[i].clauses.size()), patterns[i].needs_body()});
    for (PatternClause& clause : trees[i].clauses) {
      // What is spelled alike means the same. The length keeps names and values apart.
      const std::string spelled = std::to_string(clause.name.size()) + ' ' + clause.name +
                                  patterns[i].text().substr(clause.begin, clause.length);
      const auto [place, is_new] =
          known.try_emplace(spelled, static_cast<uint32_t>(clauses_.size()));
      if (is_new) clauses_.push_back(std::move(clause));
      clauses_of_.push_back(place->second);
    }
  }
  judged_.resize(clauses_.size(), Judged::kNotYet);
}

// Gives the clauses their numbers among the paths of all patterns.
void PatternIndex::Rebind(PatternObject& pattern, uint32_t parent) {
  for (PatternClause& clause : pattern.clauses) {
    const bool is_or = clause.kind == PatternClause::Kind::kOr;
    if (!is_or && clause.path > EventPaths::kTenant) {
      clause.path = paths_.Intern(parent, clause.name);
    }
    for (PatternObject& object : clause.objects) Rebind(object, is_or ? parent : clause.path);
  }
}

bool PatternIndex::KeyOf(const ValueFilter& filter, uint32_t path, Key* out) {
  out->path = path;
  out->prefix_bytes = 0;
  const uint64_t seed = Seed(path, filter.kind);
  switch (filter.kind) {
    case ValueFilter::Kind::kText:
      out->hash = QuickHash(filter.text, seed);
      return true;
    case ValueFilter::Kind::kPrefix: {
      const std::string_view prefix = std::string_view(filter.text).substr(0, kPrefixBytesMax);
      out->hash = QuickHash(prefix, seed);
      out->prefix_bytes = prefix.size();
      return !prefix.empty();
    }
    case ValueFilter::Kind::kNumber:
      if (filter.bounds.front().relation != NumberBound::Relation::kEqual) return false;
      out->hash = filter.bounds.front().value().Hash(seed);
      return true;
    case ValueFilter::Kind::kTrue:
    case ValueFilter::Kind::kFalse:
    case ValueFilter::Kind::kNull:
      out->hash = QuickHash("", seed);
      return true;
    case ValueFilter::Kind::kSuffix:
    case ValueFilter::Kind::kTextIgnoringCase:
    case ValueFilter::Kind::kPrefixIgnoringCase:
    case ValueFilter::Kind::kSuffixIgnoringCase:
    case ValueFilter::Kind::kWildcard:
    case ValueFilter::Kind::kBlock:
    case ValueFilter::Kind::kAnythingBut:
    case ValueFilter::Kind::kPresent:
    case ValueFilter::Kind::kAbsent:
      return false;
  }
  return false;
}

// False when the clause also takes something that has no key.
bool PatternIndex::KeysOf(const PatternClause& clause, std::vector<Key>* out) {
  for (const ValueFilter& filter : clause.any_of) {
    Key key;
    if (!KeyOf(filter, clause.path, &key)) return false;
    out->push_back(key);
  }
  return true;
}

void PatternIndex::CountUses(const PatternObject& pattern, Uses& uses) {
  for (const PatternClause& clause : pattern.clauses) {
    std::vector<Key> keys;
    if (KeysOf(clause, &keys)) {
      for (const Key& key : keys) ++uses[key.hash];
    }
    for (const PatternObject& object : clause.objects) CountUses(object, uses);
  }
}

// All clauses must match, so the best of them will do.
bool PatternIndex::ChooseAnchor(const PatternObject& pattern, const Uses& uses, Anchor* out) {
  bool found = false;
  for (const PatternClause& clause : pattern.clauses) {
    Anchor anchor;
    if (!ChooseAnchor(clause, uses, &anchor)) continue;
    if (!found || anchor.cost < out->cost) *out = std::move(anchor);
    found = true;
  }
  return found;
}

bool PatternIndex::ChooseAnchor(const PatternClause& clause, const Uses& uses, Anchor* out) {
  switch (clause.kind) {
    case PatternClause::Kind::kValues:
      if (!KeysOf(clause, &out->keys)) return false;
      for (const Key& key : out->keys) out->cost += uses.at(key.hash);
      return true;
    case PatternClause::Kind::kObject:
      return ChooseAnchor(clause.objects.front(), uses, out);
    case PatternClause::Kind::kOr:
      break;
  }
  // Any of the alternatives may be the one that matches: each needs an anchor.
  for (const PatternObject& alternative : clause.objects) {
    Anchor anchor;
    if (!ChooseAnchor(alternative, uses, &anchor)) return false;
    out->keys.insert(out->keys.end(), anchor.keys.begin(), anchor.keys.end());
    out->cost += anchor.cost;
  }
  return true;
}

void PatternIndex::AddAnchor(const Anchor& anchor, uint32_t pattern) {
  for (const Key& key : anchor.keys) {
    anchored_[key.hash].push_back(pattern);
    Lookup& lookup = lookups_[key.path];
    if (key.prefix_bytes == 0) {
      lookup.exact = true;
      continue;
    }
    std::vector<size_t>& lengths = lookup.prefix_bytes;
    const auto place = std::lower_bound(lengths.begin(), lengths.end(), key.prefix_bytes);
    if (place == lengths.end() || *place != key.prefix_bytes) {
      lengths.insert(place, key.prefix_bytes);
    }
  }
}

void PatternIndex::MarkCandidates(uint64_t hash) {
  const auto found = anchored_.find(hash);
  if (found == anchored_.end()) return;
  for (const uint32_t pattern : found->second) {
    candidates_[pattern / kWordBits] |= uint64_t{1} << pattern % kWordBits;
  }
}

void PatternIndex::LookUp(const EventValues::Value& value) {
  using Kind = ValueFilter::Kind;
  const Lookup& lookup = lookups_[value.path];
  switch (value.kind) {
    case JsonKind::kString:
      if (lookup.exact) MarkCandidates(QuickHash(value.text, Seed(value.path, Kind::kText)));
      for (const size_t bytes : lookup.prefix_bytes) {
        if (bytes > value.text.size()) break;
        MarkCandidates(QuickHash(value.text.substr(0, bytes), Seed(value.path, Kind::kPrefix)));
      }
      break;
    case JsonKind::kNumber:
      if (lookup.exact) MarkCandidates(value.number.Hash(Seed(value.path, Kind::kNumber)));
      break;
    case JsonKind::kTrue:
      if (lookup.exact) MarkCandidates(QuickHash("", Seed(value.path, Kind::kTrue)));
      break;
    case JsonKind::kFalse:
      if (lookup.exact) MarkCandidates(QuickHash("", Seed(value.path, Kind::kFalse)));
      break;
    case JsonKind::kNull:
      if (lookup.exact) MarkCandidates(QuickHash("", Seed(value.path, Kind::kNull)));
      break;
    case JsonKind::kObject:
    case JsonKind::kArray:
      break;
  }
}

bool PatternIndex::Matches(const Pattern& pattern) {
  for (uint32_t i = pattern.first; i < pattern.first + pattern.count; ++i) {
    Judged& judged = judged_[clauses_of_[i]];
    if (judged == Judged::kNotYet) {
      to_forget_.push_back(clauses_of_[i]);
      const PatternVerdict verdict =
          MatchClause(clauses_[clauses_of_[i]], values_, EventPaths::kBody);
      judged = verdict == PatternVerdict::kNo ? Judged::kFails : Judged::kMatches;
    }
    if (judged == Judged::kFails) return false;
  }
  return true;
}

void PatternIndex::Match(const JsonObject* body, const EventAttributes& attributes,
                         std::vector<uint32_t>& out) {
  out.clear();
  values_.Load(paths_, body, attributes);
  candidates_ = always_;
  for (uint32_t i = 0; i < values_.size(); ++i) LookUp(values_.at(i));
  for (size_t word = 0; word < candidates_.size(); ++word) {
    for (uint64_t bits = candidates_[word]; bits != 0; bits &= bits - 1) {
      const auto i = static_cast<uint32_t>(word * kWordBits + std::countr_zero(bits));
      if (body == nullptr && patterns_[i].needs_body) continue;
      if (Matches(patterns_[i])) out.push_back(i);
    }
  }
  for (const uint32_t clause : to_forget_) judged_[clause] = Judged::kNotYet;
  to_forget_.clear();
}

}  // namespace relay
